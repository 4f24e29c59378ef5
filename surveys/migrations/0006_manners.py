"""When each invitation is planned to be sent, what throttled it, and how large a wave is."""

from django.db import migrations, models
from django.db.models import F


def sent_when_written(apps, schema_editor):
    """Until now every invitation was due as soon as it was written."""
    apps.get_model("surveys", "Invitation").objects.update(send_at=F("created_at"))


class Migration(migrations.Migration):
    atomic = False  # a row changed and then a column altered, in one transaction, is refused

    dependencies = [("surveys", "0005_events_with_their_outcome")]

    operations = [
        migrations.AddField(
            "wave", "audience_size", models.PositiveIntegerField(editable=False, null=True)
        ),
        migrations.AddField(
            "wave",
            "sample_cut",
            models.CharField(blank=True, editable=False, max_length=32, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "invitation",
            "throttled_by",
            models.CharField(
                blank=True,
                choices=[
                    ("floor", "within 24 hours of another survey"),
                    ("family", "too soon after one of the same family"),
                    ("global", "too soon after another survey"),
                ],
                max_length=6,
                default="",
            ),
            preserve_default=False,
        ),
        migrations.AddField("invitation", "send_at", models.DateTimeField(null=True)),
        migrations.RunPython(sent_when_written, migrations.RunPython.noop),
        migrations.AlterField("invitation", "send_at", models.DateTimeField()),
        migrations.RemoveIndex("invitation", "invitations_of_customer"),
        migrations.AddIndex(
            "invitation",
            models.Index(
                condition=models.Q(("decision", "ask")),
                fields=["customer", "-send_at"],
                name="invitations_of_customer",
            ),
        ),
        migrations.AddIndex(
            "invitation",
            models.Index(
                condition=models.Q(("decision", "ask")),
                fields=["survey", "expires_at"],
                name="invitations_answerable",
            ),
        ),
    ]
