"""Give the role that web, worker and clock log in with what they need, and no more."""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

RIGHTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
GRANT EXECUTE ON FUNCTION surveys_drop_old_audit TO {role};
REVOKE UPDATE, DELETE, TRUNCATE ON surveys_auditentry, surveys_auditseal FROM {role};
REVOKE UPDATE ON surveys_responseversion FROM {role};
GRANT UPDATE (before, after, reason, erasure_id) ON surveys_auditentry TO {role};
GRANT UPDATE (salt) ON surveys_auditseal TO {role};
"""


class Command(BaseCommand):
    help = (
        "Run as the owner of the tables, after each migrate: ROLE, which owns nothing, may then "
        "read and write all tables, but in the audit trail only add entries and erase what they "
        "say, and cannot switch off the triggers that guard it. Let DATABASE_URL of web, worker "
        "and clock name that role; make it with CREATE ROLE ... LOGIN PASSWORD '...'."
    )

    def add_arguments(self, parser):
        parser.add_argument("role", metavar="ROLE")

    def handle(self, *, role: str, **options):
        with transaction.atomic(), connection.cursor() as cursor:
            _refuse(cursor, role)
            cursor.execute("SELECT current_schema()")
            schema = sql.Identifier(cursor.fetchone()[0])
            cursor.execute(sql.SQL(RIGHTS).format(role=sql.Identifier(role), schema=schema))
            visits = _visits_role(cursor)
            if visits:
                names = {"role": sql.Identifier(role), "visits": sql.Identifier(visits)}
                cursor.execute(sql.SQL("GRANT {visits} TO {role}").format(**names))
        self.stdout.write(f"{role} may do its work, and nothing to the audit trail but add to it.")


def _refuse(cursor, role: str) -> None:
    cursor.execute(
        "SELECT rolsuper OR pg_has_role(oid, (SELECT tableowner FROM pg_tables"
        " WHERE tablename = 'surveys_auditentry' AND schemaname = current_schema()), 'MEMBER')"
        " FROM pg_roles WHERE rolname = %s",
        [role],
    )
    row = cursor.fetchone()
    if row is None:
        raise CommandError(f"There is no role {role}. Create it: CREATE ROLE {role} LOGIN PASSWORD")
    if row[0]:
        raise CommandError(f"{role} owns the tables or could: take another role.")


def _visits_role(cursor) -> str | None:
    """The role that may append visits, if it was set up (surveys/delivery/visits.py)."""
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = current_database() || '_visits'")
    row = cursor.fetchone()
    return row[0] if row else None
