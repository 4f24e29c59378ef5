"""The chain of seals over the audit trail: what it bears, what it gives away."""

from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from surveys.loop import seal
from surveys.loop.forget import forget
from surveys.models import AuditEntry, AuditSeal, SealingHorizon
from surveys.models.audit import content_digest, link, said_digest


@pytest.fixture
def write(account, now):
    def one(**more) -> AuditEntry:
        after = {"segment": "Retail", "revenue": 10.5, "ünï": ["é", None, True]}
        return AuditEntry.record("change", account, now, **{"after": after, **more})

    return one


def sealed() -> list[int]:
    return list(AuditSeal.objects.values_list("entry", flat=True))


@contextmanager
def without_triggers():
    """What the owner of the database could do, and nobody else."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")


def tamper(statement: str, *values) -> None:
    with without_triggers() as cursor:
        cursor.execute(statement, values)


def test_each_seal_follows_from_the_one_before_and_from_its_entry(write):
    entries = [write(), write(reason="Asked for by the customer"), write()]
    assert seal.seal() == 3
    seals = list(AuditSeal.objects.all())
    assert [(each.position, each.entry) for each in seals] == [
        (position, entry.pk) for position, entry in enumerate(entries, 1)
    ]
    before = bytes(32)
    for each, entry in zip(seals, AuditEntry.objects.order_by("pk"), strict=True):
        said = said_digest(entry, bytes(each.salt))
        before = link(before, entry.at, content_digest(entry, said))
        assert bytes(each.seal) == before
    assert seal.seal() == 0


def test_batches_make_one_chain(write, now):
    for _ in range(7):
        write()
    assert seal.seal(batch=3, at_a_time=6) == 6
    assert seal.seal(batch=3) == 1
    found = seal.verify(now, batch=2)
    assert (found.sealed, found.unsealed, found.broken) == (7, 0, "")


def test_what_is_not_sealed_yet_is_reported(write, now):
    write()
    seal.seal()
    write()
    write()
    found = seal.verify(now)
    assert (found.sealed, found.unsealed, found.broken) == (1, 2, "")


def test_an_empty_trail_is_whole(db, now):
    found = seal.verify(now)
    assert (found.sealed, found.unsealed, found.last, found.broken) == (0, 0, None, "")


CHANGES = [
    ("UPDATE surveys_auditentry SET verb = 'withdraw' WHERE id = %s", "who, what or when"),
    ("UPDATE surveys_auditentry SET actor_id = 4711 WHERE id = %s", "who, what or when"),
    ("UPDATE surveys_auditentry SET at = at + interval '1 us' WHERE id = %s", "who, what or when"),
    ("UPDATE surveys_auditentry SET noun_id = 4711 WHERE id = %s", "who, what or when"),
    ("""UPDATE surveys_auditentry SET after = '{"segment": "x"}' WHERE id = %s""", "says was"),
    ("UPDATE surveys_auditentry SET reason = 'x' WHERE id = %s", "says was changed"),
    ("DELETE FROM surveys_auditentry WHERE id = %s", "is missing"),
    ("DELETE FROM surveys_auditseal WHERE entry = %s", "Seal 2 is missing"),
    ("UPDATE surveys_auditseal SET at = at - interval '9 years' WHERE entry = %s", "not follow"),
    ("UPDATE surveys_auditseal SET seal = content WHERE entry = %s", "not follow"),
    ("UPDATE surveys_auditseal SET salt = NULL WHERE entry = %s", "says was changed"),
]


@pytest.mark.parametrize(("statement", "said"), CHANGES)
def test_whoever_goes_around_the_triggers_is_found_out(write, now, statement, said):
    _, second, _ = write(), write(reason="Why"), write()
    seal.seal()
    assert seal.verify(now).broken == ""
    tamper(statement, second.pk)
    found = seal.verify(now)
    assert said in found.broken
    assert found.sealed == 1


def test_an_entry_with_its_seal_made_anew_breaks_the_next_one(write, now):
    first, _ = write(), write()
    seal.seal()
    forged = AuditEntry.objects.get(pk=first.pk)
    forged.verb = "withdraw"
    again = AuditSeal.over(forged, None)
    with without_triggers():
        forged.save()
        again.save()
    assert seal.verify(now).broken == "Seal 2 does not follow from the seal before it."


def test_an_entry_that_slips_in_among_the_sealed_is_found(write, now):
    first = write()
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('surveys_auditentry_id_seq')")
    write()
    seal.seal()
    assert seal.verify(now).broken == ""  # the gap alone is no fault
    late = write()
    tamper("UPDATE surveys_auditentry SET id = %s WHERE id = %s", first.pk + 1, late.pk)
    assert seal.verify(now).broken == f"Entry {first.pk + 1} was added behind the seals."


def test_a_chain_made_anew_does_not_hold_the_seal_noted_before(write, now):
    write()
    seal.seal()
    noted = str(AuditSeal.objects.get())
    assert seal.stands(noted)
    tamper("DELETE FROM surveys_auditseal")
    tamper("UPDATE surveys_auditentry SET verb = 'withdraw'")
    seal.seal()
    assert seal.verify(now).broken == ""
    assert not seal.stands(noted)


@pytest.mark.parametrize("before_sealing", [True, False])
def test_an_erasure_leaves_the_chain_whole_and_no_digest_to_guess_from(
    write, customer, alice, now, before_sealing
):
    AuditEntry.record("change", customer, now, actor=alice, after={"segment": "Ines"}, reason="I")
    write()
    if not before_sealing:
        seal.seal()
    forget(customer, None, "", now)
    seal.seal()
    found = seal.verify(now)
    assert (found.sealed, found.broken) == (3, "")
    assert [bool(each.salt) for each in AuditSeal.objects.all()] == [before_sealing, True, True]


def test_an_erased_entry_cannot_say_something_else(write, customer, now):
    entry = AuditEntry.record("change", customer, now, after={"segment": "Retail"})
    seal.seal()
    forget(customer, None, "", now)
    tamper("UPDATE surveys_auditentry SET reason = 'Never happened' WHERE id = %s", entry.pk)
    assert "erased and says something again" in seal.verify(now).broken


def test_old_entries_can_be_dropped_and_the_chain_stays_whole(account):
    now = timezone.now()  # the database asks its own clock how old they are
    AuditEntry.record("change", account, now - timedelta(days=400))
    AuditEntry.record("change", account, now - timedelta(days=300))
    AuditEntry.record("change", account, now)
    seal.seal()
    assert AuditEntry.objects.drop_before(now, most=10) == 1
    found = seal.verify(now)
    assert (found.sealed, found.broken) == (3, "")
    assert AuditEntry.objects.count() == 2


def test_at_most_so_many_old_entries_are_dropped(account, now):
    for _ in range(3):
        AuditEntry.record("change", account, now - timedelta(days=800))
    assert AuditEntry.objects.drop_before(now - timedelta(days=900), most=2) == 0
    assert AuditEntry.objects.drop_before(now - timedelta(days=700), most=2) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM surveys_auditseal",
        "UPDATE surveys_auditseal SET seal = content",
        "UPDATE surveys_auditseal SET salt = said",
        "UPDATE surveys_auditseal SET position = 9",
    ],
)
def test_the_database_refuses_to_touch_a_seal(write, statement):
    write()
    seal.seal()
    with pytest.raises(DatabaseError, match="stay"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_command_says_ok_and_the_last_seal(write, capsys):
    write()
    seal.seal()
    write()
    call_command("verify_audit", noted=str(AuditSeal.objects.get()))
    said = capsys.readouterr().out
    assert said.startswith("ok: 1 entries are sealed and in order, 1 wait for the sweep.")
    assert f"Last seal: {AuditSeal.objects.get()}" in said


def test_the_command_ends_with_status_1_where_the_chain_is_broken(write):
    entry = write()
    seal.seal()
    tamper("UPDATE surveys_auditentry SET verb = 'x'")
    with pytest.raises(CommandError, match=f"Entry {entry.pk} was changed") as refused:
        call_command("verify_audit")
    assert refused.value.returncode == 1


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ("1:" + "00" * 32, "does not hold"),
        ("x", "no seal"),
        ("1:zz", "no seal"),
        ("1:00", "no seal"),
    ],
)
def test_the_command_refuses_a_seal_that_is_not_there(write, noted, said):
    write()
    seal.seal()
    with pytest.raises(CommandError, match=said):
        call_command("verify_audit", noted=noted)


@pytest.fixture
def other(transactional_db):
    """Another connection, in a transaction of its own."""
    params = connection.get_connection_params()
    known = {"dbname", "user", "password", "host", "port"}
    with psycopg.connect(**{k: v for k, v in params.items() if k in known}) as second:
        yield second


INSERT = """
INSERT INTO surveys_auditentry (at, verb, noun, noun_id, before, after, reason)
VALUES (now(), 'change', 'account', 1, '{}', '{}', '') RETURNING id
"""


def test_a_late_commit_with_a_lower_number_is_waited_for(other, write, now):
    [late] = other.execute(INSERT).fetchone()
    early = write()
    assert late < early.pk
    assert [seal.seal(), seal.seal()] == [0, 0]
    assert sealed() == []
    other.commit()
    assert seal.seal() == 2
    assert sealed() == [late, early.pk]
    assert seal.verify(now).broken == ""


def test_without_waiting_it_would_have_been_left_behind(other, write, now, monkeypatch):
    """The control: a sealer that does not look who is writing."""
    monkeypatch.setattr(seal, "_writers", list)
    [late] = other.execute(INSERT).fetchone()
    early = write()
    assert seal.seal() == 1
    other.commit()
    assert seal.seal() == 0
    assert sealed() == [early.pk]
    assert seal.verify(now).broken == f"Entry {late} was added behind the seals."


def test_a_number_whose_transaction_failed_stays_a_gap(other, write, now):
    [lost] = other.execute(INSERT).fetchone()
    entry = write()
    other.rollback()
    assert seal.seal() == 1
    assert sealed() == [entry.pk]
    assert seal.verify(now).broken == ""
    assert lost < entry.pk


def test_what_was_settled_before_a_long_transaction_began_is_sealed(other, write):
    first = write()
    assert seal.seal() == 1
    second = write()
    other.execute(INSERT)
    assert seal.seal() == 0
    horizon = SealingHorizon.objects.get()
    assert (horizon.up_to, len(horizon.waits_for)) == (second.pk, 1)
    assert sealed() == [first.pk]


def test_writers_who_come_and_go_do_not_hold_the_sealer_up(other, write):
    first = write()
    other.execute(INSERT)
    assert seal.seal() == 0
    other.commit()
    other.execute(INSERT)  # the next one is writing already
    assert seal.seal() == 1
    assert sealed() == [first.pk]


def test_two_sealers_at_once_make_one_chain(other, write, now):
    write()
    other.execute("SELECT pg_advisory_xact_lock(%s)", [seal.ONE_AT_A_TIME])
    assert seal.seal() == 0
    other.commit()
    assert seal.seal() == 1


def test_an_erasure_while_entries_are_sealed_leaves_no_salt(other, customer, now, monkeypatch):
    """The sealer holds the entry; the erasure waits for it, and then sees its seal."""
    entry = AuditEntry.record("change", customer, now, after={"segment": "Retail"})
    over, refused = AuditSeal.over, []

    def meanwhile(each, last):
        other.execute("SET lock_timeout = '50ms'")
        try:
            other.execute("UPDATE surveys_auditentry SET reason = reason WHERE id = %s", [each.pk])
        except psycopg.errors.LockNotAvailable as error:
            refused.append(error)
        other.rollback()
        return over(each, last)

    monkeypatch.setattr(AuditSeal, "over", meanwhile)
    assert seal.seal() == 1
    assert len(refused) == 1
    forget(customer, None, "", now)
    assert AuditSeal.objects.get(entry=entry.pk).salt is None
