from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "analysis"
    verbose_name = "Themes and reports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The queue shows what a comment is about, without knowing who reads comments."""
        from analysis.on_tasks import main_themes  # models are loaded only now
        from surveys import themes

        themes.known_by(main_themes)
