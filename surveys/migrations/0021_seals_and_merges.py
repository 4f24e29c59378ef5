"""Audit entries are sealed into a chain, and duplicate customers and accounts can be merged."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.text
from django.db import migrations, models

SEALS_STAY = """
CREATE FUNCTION surveys_seals_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.salt IS NULL
        AND ROW(NEW.position, NEW.entry, NEW.at, NEW.said, NEW.content, NEW.seal)
            IS NOT DISTINCT FROM
            ROW(OLD.position, OLD.entry, OLD.at, OLD.said, OLD.content, OLD.seal) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The seals of the audit trail stay: % refused', TG_OP;
END $$;
CREATE TRIGGER seals_stay BEFORE UPDATE OR DELETE ON surveys_auditseal
    FOR EACH ROW EXECUTE FUNCTION surveys_seals_stay()
"""
OLD_AUDIT_GOES = """
CREATE FUNCTION surveys_drop_old_audit(cutoff timestamptz, most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    WITH old AS (
        SELECT id FROM surveys_auditentry
        WHERE at < least(cutoff, now() - interval '1 year') LIMIT most
    ), gone AS (
        DELETE FROM surveys_auditentry WHERE id IN (SELECT id FROM old) RETURNING id
    )
    SELECT count(*) FROM gone
$$;
REVOKE EXECUTE ON FUNCTION surveys_drop_old_audit FROM PUBLIC
"""
SEALS_GO = """
DROP TRIGGER seals_stay ON surveys_auditseal;
DROP FUNCTION surveys_seals_stay()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("surveys", "0020_settled_surveys"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("entry", models.BigIntegerField(unique=True)),
                ("at", models.DateTimeField()),
                ("salt", models.BinaryField(max_length=16, null=True)),
                ("said", models.BinaryField(max_length=32)),
                ("content", models.BinaryField(max_length=32)),
                ("seal", models.BinaryField(max_length=32)),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="SealingHorizon",
            fields=[
                ("only", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("up_to", models.BigIntegerField(default=0)),
                (
                    "waits_for",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="account",
            name="merged_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="account",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signposts",
                to="surveys.account",
                verbose_name="account it was merged into",
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="merged_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signposts",
                to="surveys.customer",
                verbose_name="customer it was merged into",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                condition=models.Q(("merged_at__isnull", False)),
                fields=["merged_at"],
                name="accounts_merged",
            ),
        ),
        migrations.AddIndex(
            model_name="account",
            index=models.Index(
                django.db.models.functions.text.Lower(
                    models.Func(
                        models.F("name"),
                        models.Value("[\\s[:punct:]]+"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                        output_field=models.CharField(),
                    )
                ),
                condition=models.Q(("merged_into", None)),
                include=("name",),
                name="accounts_alike",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_at__isnull", False)),
                fields=["merged_at"],
                name="customers_merged",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                django.db.models.functions.text.Lower(
                    models.Func(
                        models.F("name"),
                        models.Value("[\\s[:punct:]]+"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                        output_field=models.CharField(),
                    )
                ),
                django.db.models.functions.text.Substr(
                    models.F("email"),
                    django.db.models.expressions.CombinedExpression(
                        django.db.models.functions.text.StrIndex(
                            models.F("email"), models.Value("@")
                        ),
                        "+",
                        models.Value(1),
                    ),
                ),
                condition=models.Q(
                    models.Q(("name", ""), _negated=True),
                    ("email__isnull", False),
                    ("merged_into", None),
                ),
                include=("name", "email"),
                name="customers_alike",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                django.db.models.functions.text.Right(
                    models.Func(
                        models.F("phone"),
                        models.Value("\\D"),
                        models.Value(""),
                        models.Value("g"),
                        function="regexp_replace",
                        output_field=models.CharField(),
                    ),
                    8,
                ),
                condition=models.Q(models.Q(("phone", ""), _negated=True), ("merged_into", None)),
                include=("phone",),
                name="customers_of_one_phone",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("merged_at", None), ("merged_into", None)),
                    models.Q(
                        ("merged_at__isnull", False),
                        ("merged_into__isnull", False),
                        ("owner", None),
                        ("region", ""),
                        ("revenue", None),
                        ("segment", ""),
                    ),
                    _connector="OR",
                ),
                name="merged_account_is_a_signpost",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("merged_at", None), ("merged_into", None)),
                    models.Q(
                        ("account", None),
                        ("merged_at__isnull", False),
                        ("merged_into__isnull", False),
                        ("name", ""),
                        ("phone", ""),
                        ("segment", ""),
                    ),
                    _connector="OR",
                ),
                name="merged_customer_is_a_signpost",
            ),
        ),
        migrations.AddConstraint(
            model_name="sealinghorizon",
            constraint=models.CheckConstraint(
                condition=models.Q(("only", True)), name="one_horizon"
            ),
        ),
        migrations.RunSQL(SEALS_STAY, SEALS_GO),
        migrations.RunSQL(OLD_AUDIT_GOES, "DROP FUNCTION surveys_drop_old_audit"),
    ]
