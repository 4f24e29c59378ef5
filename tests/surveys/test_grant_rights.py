"""What the role that web, worker and clock log in with may do to the audit trail."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from surveys.loop import answer, ask, seal
from surveys.loop.forget import forget
from surveys.models import AuditEntry, AuditSeal, Customer

ROLE = "voc_web_of_the_tests"


@pytest.fixture
def web(db):
    """A role that owns nothing; gone again with the transaction of the test."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ROLE} NOLOGIN")
    call_command("grant_rights", ROLE, verbosity=0)
    return ROLE


class _As:
    """Work as the role for a while."""

    def __init__(self, role: str):
        self.role = role

    def __enter__(self):
        connection.cursor().execute(f"SET LOCAL ROLE {self.role}")

    def __exit__(self, error, *_):
        if error is None:  # else the savepoint that is rolled back takes the role with it
            connection.cursor().execute("RESET ROLE")


@pytest.fixture
def entry(account, manager, now):
    entry = AuditEntry.record("change", account, now, actor=manager, reason="Why")
    seal.seal()
    return entry


FORBIDDEN = [
    "UPDATE surveys_auditentry SET verb = 'x'",
    "UPDATE surveys_auditentry SET actor_id = NULL",
    "DELETE FROM surveys_auditentry",
    "TRUNCATE surveys_auditentry",
    "ALTER TABLE surveys_auditentry DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_only_grows ON surveys_auditentry",
    "UPDATE surveys_auditseal SET seal = content",
    "DELETE FROM surveys_auditseal",
    "TRUNCATE surveys_auditseal",
    "ALTER TABLE surveys_auditseal DISABLE TRIGGER ALL",
    "SET LOCAL session_replication_role = replica",
    "UPDATE surveys_responseversion SET score = 9",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_trail_cannot_be_touched(web, entry, statement):
    refused = pytest.raises(DatabaseError, match=r"permission denied|must be owner")
    with refused, transaction.atomic(), _As(web):
        connection.cursor().execute(statement)


def test_the_owner_could(db, entry):
    """The control: rights are what stops the role, not the statements."""
    with transaction.atomic():
        connection.cursor().execute("SET LOCAL session_replication_role = replica")
        connection.cursor().execute("DELETE FROM surveys_auditentry")
    assert not AuditEntry.objects.exists()


def test_daily_work_goes_on(web, nps, customer, now):
    with _As(web):
        invitation = ask.invite(nps, [customer], "test:1", now)[0]
        answer.give(invitation, 2, "It never came.", now)
        assert seal.seal() > 0
        forget(customer, None, "", now)
        assert AuditEntry.objects.drop_before(timezone.now(), most=10) == 0
        assert seal.verify(now).broken == ""
    assert AuditEntry.objects.filter(noun="outreachtask", erasure__isnull=False).exists()
    assert AuditSeal.objects.filter(salt=None).exists()
    assert Customer.objects.get(pk=customer.pk).forgotten_at == now


def test_what_an_entry_says_is_not_rewritten_even_where_it_may_be_erased(web, entry):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), _As(web):
        AuditEntry.objects.update(reason="Something else")


def test_granting_again_changes_nothing(web):
    call_command("grant_rights", ROLE, verbosity=0)


def test_a_role_that_owns_the_tables_is_refused(db):
    owner = connection.settings_dict["USER"]
    with pytest.raises(CommandError, match="owns the tables"):
        call_command("grant_rights", owner)


def test_a_role_that_is_not_there_is_named(db):
    with pytest.raises(CommandError, match="There is no role nobody_here"):
        call_command("grant_rights", "nobody_here")
