"""What goes and what stays when a customer is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from surveys.delivery import claim, outcomes
from surveys.inbound.take_in import take_in
from surveys.loop import answer, ask
from surveys.loop.forget import forget, month_of
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Escalation,
    Event,
    InboundMail,
    Invitation,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Suppression,
    Wave,
)
from tests.planted import (
    COMMENT,
    EMAIL,
    NAME,
    WORDS,
    answered,
    asked,
    everything_about,
    found_in_a_dump,
    planted_customer,
)
from tests.surveys.inbound.mails import bounce, reply

MONTH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def known(account):
    return planted_customer(account)


@pytest.fixture
def invitation(known, nps, alice, now):
    return everything_about(known, nps, alice, now)


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_whole_database_holds_no_word_of_theirs(
    invitation, known, administrator, now
):
    assert found_in_a_dump() == set(WORDS)  # the control: it would be found
    forget(known, administrator, f"{NAME} asked for it, as {EMAIL.upper()}", now)
    assert found_in_a_dump() == set()


def test_score_and_month_stay_and_nothing_else_of_the_answer(invitation, known, now):
    answer.add(Response.objects.get(), answer.More("", ["price"], "phone", "After four"), now)
    assert ResponseVersion.objects.filter(contact_time="After four", reasons=["price"]).exists()
    forget(known, None, "", now)
    response = Response.objects.get()
    assert (response.score, response.band, response.answered_at) == (1, "detractor", MONTH)
    assert (response.survey, response.product) == (invitation.survey, "Delivery")
    assert (response.segment, response.language) == ("Enterprise", "en")
    assert (response.comment, response.external_id, response.finished_at) == ("", None, None)
    assert (response.wants_contact, response.contact_channel, response.contact_time) == (
        False, "", "",
    )  # fmt: skip
    assert ResponseVersion.objects.count() == response.reasons.count() == 0
    assert response.customer is None
    assert str(response.invitation.customer) == f"Forgotten customer {known.pk}"


def test_how_long_the_outreach_took_stays_and_what_was_said_goes(
    invitation, known, root_cause, now
):
    before = OutreachTask.objects.get()
    took = before.first_contact_at - before.started_at
    forget(known, None, "", now)
    task = OutreachTask.objects.get()
    assert (task.started_at, task.first_contact_at - task.started_at) == (MONTH, took)
    assert task.due_at - task.started_at == timedelta(hours=72)
    assert (task.state, task.root_cause, task.outcome) == ("closed", before.root_cause, "improved")
    assert (task.owner, task.action) == (before.owner, "(erased)")
    assert [(c.note, c.outcome, c.logged_at) for c in task.contacts.all()] == [
        ("", "spoke", task.first_contact_at)
    ]


def test_escalations_and_who_opened_the_task_move_to_the_month_too(invitation, known, now):
    task = OutreachTask.objects.get()
    OutreachTask.objects.update(seen_at=task.started_at, assigned_at=task.started_at)
    told = {"began_at": task.started_at, "at": task.started_at + timedelta(hours=48)}
    row = Escalation.objects.create(task=task, level=2, after_hours=48, **told)
    forget(known, None, "", now)
    task.refresh_from_db()
    row.refresh_from_db()
    assert (task.seen_at, task.assigned_at, row.began_at) == (MONTH, MONTH, MONTH)
    assert row.at == MONTH + timedelta(hours=48)


@pytest.mark.parametrize(
    ("hours", "reached", "state"),
    [
        (1, False, "withdrawn"),
        (1, True, "forgotten"),
        (73, False, "forgotten"),  # a miss stays a miss
        (73, True, "forgotten"),
    ],
)
def test_an_open_task_ends_and_the_rate_is_none_the_better(
    known, nps, alice, now, hours, reached, state
):
    response, _ = answer.give(asked(known, nps, now), 2, COMMENT, now)
    if reached:
        OutreachTask.objects.update(first_contact_at=now + timedelta(minutes=30))
    forget(known, None, "", now + timedelta(hours=hours))
    task = OutreachTask.objects.get(response=response)
    assert task.state == state
    assert bool(task.withdrawn_reason) == (state == "withdrawn")


def test_the_address_is_not_written_to_again(known, nps, now):
    forget(known, None, "", now)
    back = Customer.objects.create(name="Back again", email=EMAIL)
    [invitation] = ask.invite(nps, [back], "test:2", now)
    assert invitation.decision == "suppressed"
    assert Suppression.objects.get().reason == "forgotten"


def test_a_customer_without_an_address_is_forgotten_too(known, now):
    Customer.objects.update(email=None)
    erasure = forget(known, None, "", now)
    assert (erasure.address_digest, Suppression.objects.count()) == (None, 0)


def test_every_link_leads_nowhere(invitation, known, now):
    old = {purpose: invitation.token(purpose) for purpose in ("answer", "unsubscribe", "privacy")}
    for purpose, text in old.items():
        assert Invitation.objects.by_token(text, purpose).get() == invitation
    forget(known, None, "", now)
    found = [Invitation.objects.by_token(text, p).exists() for p, text in old.items()]
    assert found == [False, False, False]


def test_times_and_occasions_say_no_more_than_the_month(invitation, known, now):
    forget(known, None, "", now)
    fresh = Invitation.objects.get()
    assert fresh.occasion == f"forgotten:{fresh.pk}"
    assert (fresh.created_at, fresh.send_at, fresh.expires_at) == (MONTH, MONTH, MONTH)


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("UTC", "2026-03-31T23:30Z", "2026-03-01T00:00Z"),
        ("Asia/Tokyo", "2026-03-31T23:30Z", "2026-03-31T15:00Z"),
        ("Europe/Berlin", "2026-03-31T12:00Z", "2026-02-28T23:00Z"),
    ],
)
def test_months_begin_where_the_company_is(settings, zone, at, expected):
    settings.TIME_ZONE = zone
    assert month_of(datetime.fromisoformat(at)) == datetime.fromisoformat(expected)


def test_mails_that_wait_are_not_sent(known, nps, alice, now):
    states = ["queued", "held", "in_doubt", "failed", "sent", "cancelled"]
    [invitation] = ask.invite(nps, [known], "test:1", now)
    more = [
        Message(kind="reminder", dedupe_key=f"r:{state}", invitation=invitation, state=state,
                sent_at=now, next_at=now, created_at=now, last_error=f"<{EMAIL}> unknown")
        for state in states
    ]  # fmt: skip
    Message.objects.bulk_create(more)
    forget(known, None, "", now)
    became = Message.objects.filter(kind="reminder").order_by("pk").values_list("state", flat=True)
    assert list(became) == ["cancelled"] * 3 + ["failed", "sent", "cancelled"]
    assert set(Message.objects.values_list("last_error", flat=True)) == {""}


def test_what_came_in_is_gone(invitation, known, now):
    assert (InboundMail.objects.count(), Event.objects.count()) == (1, 1)
    forget(known, None, "", now)
    assert (InboundMail.objects.count(), Event.objects.count()) == (0, 0)


def test_the_erasure_says_when_by_whom_and_why_and_not_of_whom(known, administrator, now):
    reason = f"Letter of 2026-03-09 by {NAME.lower()} ({EMAIL}), crm-0815"
    erasure = forget(known, administrator, reason, now)
    assert erasure.reason == "Letter of 2026-03-09 by … (…), …"
    assert (erasure.by, erasure.at, erasure.cause) == (administrator, now, "colleague")
    assert bytes(erasure.address_digest) == Suppression.hash(EMAIL)


def test_forgetting_twice_changes_nothing(known, administrator, now):
    first = forget(known, administrator, "asked", now)
    assert forget(known, None, "again", now + timedelta(days=1)) == first
    assert Customer.objects.get().forgotten_at == now


def test_another_customer_keeps_everything(invitation, known, customer, nps, alice, now):
    other = asked(customer, nps, now)
    answered(other, alice, now)
    forget(known, None, "", now)
    kept = Response.objects.get(customer=customer)
    assert (kept.comment.startswith(COMMENT), kept.versions.count()) == (True, 2)
    assert OutreachTask.objects.get(customer=customer).contacts.get().note != ""
    assert Customer.objects.get(pk=customer.pk).email == "ines@lakeside.example"
    assert Invitation.objects.by_token(other.token()).get() == other


def test_the_audit_trail_keeps_who_did_what_when(invitation, known, alice, administrator, now):
    rows = AuditEntry.objects.order_by("pk")
    before = list(rows.values_list("pk", "at", "actor", "verb", "noun", "noun_id"))
    erasure = forget(known, administrator, "asked", now)
    assert list(rows.values_list("pk", "at", "actor", "verb", "noun", "noun_id"))[:-1] == before
    said = set(rows.filter(erasure=erasure).values_list("reason", flat=True))
    assert (said, erasure.redacted.count()) == ({""}, len(before))
    assert (rows.last().verb, rows.last().actor, rows.last().reason) == (
        "forget", administrator, "asked",
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "verb = 'other'",
        "reason = 'other', erasure_id = {erasure}",
        "actor_id = NULL, before = '{{}}', after = '{{}}', reason = '', erasure_id = {erasure}",
        "before = '{{}}', after = '{{}}', reason = ''",
    ],
)
def test_nothing_else_about_an_audit_entry_can_be_changed(known, alice, now, change):
    erasure = forget(Customer.objects.create(), None, "", now)
    entry = AuditEntry.record("change", known, now, actor=alice, reason="why")
    sql = f"UPDATE surveys_auditentry SET {change} WHERE id = {entry.pk}"  # noqa: S608
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(sql.format(erasure=erasure.pk))


def test_a_redacted_entry_cannot_be_redacted_again(known, alice, now):
    entry = AuditEntry.record("change", known, now, actor=alice, reason="why")
    forget(known, None, "", now)
    other = forget(Customer.objects.create(), None, "", now)
    with pytest.raises(DatabaseError, match="append-only"):
        AuditEntry.objects.filter(pk=entry.pk).update(erasure=other)


@pytest.mark.parametrize(("days", "goes"), [(364, False), (367, True)])
def test_audit_entries_can_be_deleted_after_a_year_and_not_before(known, days, goes):
    at = datetime.now(UTC) - timedelta(days=days)
    entry = AuditEntry.record("change", known, at)
    if goes:
        assert AuditEntry.objects.filter(pk=entry.pk).delete()[0] == 1
    else:
        with pytest.raises(DatabaseError, match="append-only"):
            AuditEntry.objects.filter(pk=entry.pk).delete()


@pytest.mark.parametrize("field", ["name", "email", "external_id", "phone"])
def test_nothing_can_be_written_on_a_forgotten_customer(known, now, field):
    forget(known, None, "", now)
    with pytest.raises(IntegrityError, match="forgotten_customer_is_nobody"):
        Customer.objects.filter(pk=known.pk).update(**{field: "x"})


def test_nobody_sees_or_asks_a_forgotten_customer(known, nps, manager, now):
    wave = Wave.objects.create(survey=nps, name="Spring")
    assert known in Customer.objects.visible_to(manager)
    assert known in wave.audience(now)
    forget(known, None, "", now)
    assert known not in Customer.objects.visible_to(manager)
    assert known not in wave.audience(now)


@pytest.mark.parametrize("raw", [reply("flugelhorn", EMAIL), bounce(about=EMAIL)])
def test_what_comes_in_later_brings_nobody_back(known, nps, now, settings, raw):
    settings.BOUNCE_ADDRESS = ""
    mail = asked(known, nps, now).messages.get()
    Message.objects.update(message_id=claim.message_id(mail))
    raw = raw.replace(b"Subject:", f"In-Reply-To: {claim.message_id(mail)}\r\nSubject:".encode(), 1)
    forget(known, None, "", now)
    take_in(raw, now)
    row = InboundMail.objects.get()
    assert (row.customer, row.invitation, DeliveryEvent.objects.count()) == (None, None, 0)


def test_a_report_on_a_mail_sent_before_leaves_no_address(known, nps, now):
    mail = asked(known, nps, now).messages.get()
    forget(known, None, "", now)
    fresh = Message.objects.get(pk=mail.pk)
    report = {"source": "x", "event_id": EMAIL, "detail": f"<{EMAIL}>", "to": EMAIL, "now": now}
    assert outcomes.record(fresh, "hard_bounce", **report) is False
    assert (DeliveryEvent.objects.count(), Suppression.objects.count()) == (0, 1)
