"""Addresses of this door, all below /admin/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from analysis.pages import board, closure, cohort, dashboard, health, report, themes
from analysis.pages.files import FORMS


class Form(StringConverter):
    """A report as a file, such as report.pdf."""

    regex = rf"report\.({'|'.join(FORMS)})"

    def to_python(self, value: str) -> str:
        return value.removeprefix("report.")

    def to_url(self, value: str) -> str:
        return f"report.{value}"


register_converter(Form, "form")

app_name = "analysis"
urlpatterns = [
    path("board/", board.page, name="board"),
    path("dashboard/", dashboard.page, name="dashboard"),
    path("dashboard/<form:form>", dashboard.file, name="dashboard-file"),
    path("closure/", closure.page, name="closure"),
    path("closure/tasks/", cohort.page, name="closure-tasks"),
    path("closure/<form:form>", closure.file, name="closure-file"),
    path("accounts/", health.page, name="health"),
    path("accounts/<form:form>", health.file, name="health-file"),
    path("report/", report.report, name="report"),
    path("report/closure.csv", report.closure_csv, name="closure-csv"),
    path("report/scores.csv", report.scores_csv, name="scores-csv"),
    path("themes/", themes.page, name="themes"),
    path("themes/themes.csv", themes.themes_csv, name="themes-csv"),
]
