"""A role of the database that may append visits and do nothing else.

Roles belong to the whole server, so it bears the name of this database. Who may not create roles
is told what to ask for (surveys/delivery/visits.py), and visits are not kept until then.
"""

from django.db import migrations

CREATE = """
DO $$
DECLARE role name := current_database() || '_visits';
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        END IF;
        EXECUTE format('GRANT INSERT ON surveys_visit TO %I', role);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), role);
        EXECUTE format('GRANT %I TO %I', role, current_user);
    EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN
        RAISE NOTICE 'The role % was not set up: %', role, SQLERRM;
    END;
END $$
"""

DROP = """
DO $$
DECLARE role name := current_database() || '_visits';
BEGIN
    EXECUTE format('DROP OWNED BY %I', role);
    EXECUTE format('DROP ROLE %I', role);
EXCEPTION WHEN insufficient_privilege OR undefined_object OR dependent_objects_still_exist THEN
    RAISE NOTICE 'The role % stays: %', role, SQLERRM;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("surveys", "0018_answers_with_signs")]

    operations = [migrations.RunSQL(CREATE, DROP)]
