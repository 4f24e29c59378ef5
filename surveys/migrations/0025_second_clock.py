from django.db import migrations, models
from django.db.models import OuterRef, Q, Subquery


def fill(apps, schema_editor):
    """What was told so far was told on the clock of the answer."""
    task = apps.get_model("surveys", "OutreachTask").objects.filter(pk=OuterRef("task"))
    began = Subquery(task.values("started_at")[:1])
    apps.get_model("surveys", "Escalation").objects.update(began_at=began)


class Migration(migrations.Migration):
    dependencies = [("surveys", "0024_mails_about_tasks")]

    operations = [
        migrations.RemoveConstraint(model_name="escalation", name="escalated_once"),
        migrations.AddField("escalation", "began_at", models.DateTimeField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("escalation", "began_at", models.DateTimeField()),
        migrations.AddField("escalation", "after_denial", models.BooleanField(default=False)),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.UniqueConstraint(
                fields=["task", "step", "began_at", "day"], name="escalated_once"
            ),
        ),
        migrations.RemoveField("confirmation", "climbed_at"),
        migrations.AddIndex(
            model_name="outreachtask",
            index=models.Index(
                fields=["denied_at"],
                name="tasks_denied",
                condition=Q(state="open", denied_at__isnull=False, second_contact_at=None),
            ),
        ),
    ]
