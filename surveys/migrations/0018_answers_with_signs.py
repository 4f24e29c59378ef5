"""What a press of a button said and by whom, how a customer would like to be contacted, why a task
was opened, and the visits that are the evidence for it."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

SIGNS = [
    ("too_fast", "Pressed within a second of seeing the page"),
    ("hidden_field", "Filled in a field that nobody can see"),
    ("decoy", "Sent a form that nobody can see"),
    ("hidden_link", "Followed a link of the mail that nobody can see"),
    ("scripted", "The button was pressed by a script, not by hand"),
    ("caught_before", "Was in one of the traps minutes before"),
    ("two_scores", "Sent two scores before it could have read the page"),
    ("many_scores", "Sent three or more scores within two minutes"),
    ("walker", "Went through the links of several customers within seconds"),
]


def signs() -> django.contrib.postgres.fields.ArrayField:
    one = models.CharField(choices=SIGNS, max_length=13)
    return django.contrib.postgres.fields.ArrayField(base_field=one, default=list, size=None)


def key() -> models.BigAutoField:
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [("surveys", "0017_erasures")]

    operations = [
        migrations.AddField(
            model_name="survey",
            name="task_on_loyalty_drop",
            field=models.BooleanField(
                default=False,
                help_text="Also for a customer who was a promoter and now is passive, or whose "
                "score fell by 3 or more. Detractors always get one.",
                verbose_name="task when loyalty drops",
            ),
        ),
        migrations.AddField(model_name="response", name="signs", field=signs()),
        migrations.AddField(
            model_name="response",
            name="wants_contact",
            field=models.BooleanField(default=False, verbose_name="wants to be contacted"),
        ),
        migrations.AddField(
            model_name="response",
            name="contact_channel",
            field=models.CharField(
                blank=True,
                choices=[
                    ("phone", "By phone"),
                    ("email", "By e-mail"),
                    ("message", "By text message"),
                ],
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="response",
            name="contact_time",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="response", name="finished_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddConstraint(
            model_name="response",
            constraint=models.CheckConstraint(
                condition=models.Q(("contact_channel__in", ["", "phone", "email", "message"])),
                name="contact_channel_is_known",
            ),
        ),
        migrations.AddField(
            model_name="responseversion",
            name="verdict",
            field=models.CharField(
                choices=[("person", "A person"), ("machine", "A machine")],
                default="person",
                max_length=7,
                verbose_name="pressed by",
            ),
        ),
        migrations.AddField(model_name="responseversion", name="signs", field=signs()),
        migrations.CreateModel(
            name="ResponseReason",
            fields=[
                ("id", key()),
                ("key", models.CharField(max_length=40)),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reasons",
                        to="surveys.response",
                    ),
                ),
            ],
            options={
                "ordering": ["key"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("response", "key"), name="reason_once_per_response"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="outreachtask",
            name="cause",
            field=models.CharField(
                choices=[
                    ("detractor", "Detractor"),
                    ("contact_wish", "Wants to be contacted"),
                    ("loyalty_drop", "Less loyal than before"),
                ],
                default="detractor",
                max_length=12,
            ),
        ),
        migrations.AddConstraint(
            model_name="outreachtask",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["detractor", "contact_wish", "loyalty_drop"])),
                name="task_cause_is_known",
            ),
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", key()),
                ("at", models.DateTimeField()),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("opened", "Opened the page"),
                            ("looked", "Asked for the headers only"),
                            ("hidden_link", "Followed the hidden link"),
                            ("opt_out_page", "Opened the page to unsubscribe"),
                            ("pressed", "Pressed the button"),
                            ("caught", "Was caught pressing a button"),
                        ],
                        max_length=12,
                    ),
                ),
                ("score", models.SmallIntegerField(null=True)),
                ("client", models.CharField(max_length=16)),
                ("agent", models.CharField(blank=True, max_length=200, verbose_name="browser")),
                (
                    "invitation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="surveys.invitation",
                    ),
                ),
            ],
            options={
                "ordering": ["at"],
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["at"], name="visits_to_forget"
                    )
                ],
            },
        ),
    ]
