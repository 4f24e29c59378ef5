"""Customers can be forgotten, and links lead to the page where they ask for it."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from surveys.models.invitations import Purpose, token, token_digest

BATCH = 5_000

AUDIT_FORGETS = """
DROP TRIGGER audit_only_grows ON surveys_auditentry;
CREATE FUNCTION surveys_audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '1 year' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.erasure_id IS NULL AND NEW.erasure_id IS NOT NULL
        AND NEW.before = '{}' AND NEW.after = '{}' AND NEW.reason = ''
        AND ROW(NEW.id, NEW.at, NEW.actor_id, NEW.verb, NEW.noun, NEW.noun_id)
            IS NOT DISTINCT FROM
            ROW(OLD.id, OLD.at, OLD.actor_id, OLD.verb, OLD.noun, OLD.noun_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON surveys_auditentry
    FOR EACH ROW EXECUTE FUNCTION surveys_audit_keeps()
"""
AUDIT_ONLY_GROWS = """
DROP TRIGGER audit_only_grows ON surveys_auditentry;
DROP FUNCTION surveys_audit_keeps();
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON surveys_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION surveys_audit_only_grows()
"""


def derive_digests(apps, schema_editor):
    invitations = apps.get_model("surveys", "Invitation").objects.filter(privacy_digest=None)
    while rows := list(invitations.only("pk", "seed")[:BATCH]):
        for row in rows:
            row.privacy_digest = token_digest(token(Purpose.PRIVACY, bytes(row.seed)))
        invitations.model.objects.bulk_update(rows, ["privacy_digest"], 500)


class Migration(migrations.Migration):
    atomic = False  # a row changed and then a column altered, in one transaction, is refused

    dependencies = [("surveys", "0016_links_to_hand_over")]

    operations = [
        migrations.AddField(
            "customer", "forgotten_at", models.DateTimeField(editable=False, null=True)
        ),
        migrations.AddConstraint(
            "customer",
            models.CheckConstraint(
                condition=models.Q(
                    ("forgotten_at", None),
                    models.Q(
                        ("account", None),
                        ("email", None),
                        ("external_id", None),
                        ("name", ""),
                        ("phone", ""),
                        ("segment", ""),
                    ),
                    _connector="OR",
                ),
                name="forgotten_customer_is_nobody",
            ),
        ),
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address_digest", models.BinaryField(max_length=32, null=True)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("customer", "The customer, on their own page"),
                            ("colleague", "A colleague"),
                            ("time", "Kept for long enough"),
                        ],
                        max_length=9,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField()),
                ("noted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasure",
                        to="surveys.customer",
                    ),
                ),
            ],
            options={"ordering": ["-at"]},
        ),
        migrations.AddIndex(
            "erasure",
            models.Index(
                condition=models.Q(("noted_at", None)), fields=["at"], name="erasures_to_note"
            ),
        ),
        migrations.AddField(
            "auditentry",
            "erasure",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="redacted",
                to="surveys.erasure",
            ),
        ),
        migrations.AddIndex(
            "auditentry",
            django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="audit_by_age"),
        ),
        migrations.RunSQL(AUDIT_FORGETS, AUDIT_ONLY_GROWS),
        migrations.RemoveConstraint("outreachtask", "task_state_is_known"),
        migrations.AlterField(
            "outreachtask",
            "state",
            models.CharField(
                choices=[
                    ("open", "Open"),
                    ("closed", "Closed"),
                    ("withdrawn", "Withdrawn"),
                    ("forgotten", "Over: the customer was forgotten"),
                ],
                default="open",
                max_length=9,
            ),
        ),
        migrations.AddConstraint(
            "outreachtask",
            models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "closed", "withdrawn", "forgotten"])),
                name="task_state_is_known",
            ),
        ),
        migrations.AlterField(
            "suppression",
            "reason",
            models.CharField(
                choices=[
                    ("unsubscribed", "Unsubscribed"),
                    ("bounced", "Mails came back"),
                    ("complained", "Spam complaint"),
                    ("forgotten", "Forgotten"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            "invitation", "privacy_digest", models.BinaryField(max_length=32, null=True)
        ),
        migrations.RunPython(derive_digests, migrations.RunPython.noop),
        migrations.AlterField(
            "invitation", "privacy_digest", models.BinaryField(max_length=32, unique=True)
        ),
    ]
