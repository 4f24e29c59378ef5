"""Two rules that need SQL of their own.

A response's copy of its survey's kind is held true by a foreign key over both columns, so that the
constraint on scores and bands cannot be fooled. And the audit trail can only grow.
"""

from django.db import migrations

KIND_FOLLOWS_SURVEY = """
ALTER TABLE surveys_response ADD CONSTRAINT response_kind_follows_survey
    FOREIGN KEY (survey_id, kind) REFERENCES surveys_survey (id, kind)
"""

AUDIT_ONLY_GROWS = """
CREATE FUNCTION surveys_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE ON surveys_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION surveys_audit_only_grows();
CREATE TRIGGER versions_never_change BEFORE UPDATE ON surveys_responseversion
    FOR EACH STATEMENT EXECUTE FUNCTION surveys_audit_only_grows()
"""


class Migration(migrations.Migration):
    dependencies = [("surveys", "0001_first")]

    operations = [
        migrations.RunSQL(
            KIND_FOLLOWS_SURVEY,
            "ALTER TABLE surveys_response DROP CONSTRAINT response_kind_follows_survey",
        ),
        migrations.RunSQL(
            AUDIT_ONLY_GROWS,
            "DROP TRIGGER versions_never_change ON surveys_responseversion;"
            "DROP TRIGGER audit_only_grows ON surveys_auditentry;"
            "DROP FUNCTION surveys_audit_only_grows()",
        ),
    ]
