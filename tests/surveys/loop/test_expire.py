"""Nothing is kept longer than promised."""

from datetime import UTC, datetime, timedelta

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.utils import timezone

from surveys import tasks
from surveys.loop import answer, ask, expire
from surveys.loop.forget import forget
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Erasure,
    Event,
    InboundMail,
    Invitation,
    Message,
    OpenAnswer,
    OpenLink,
    OutreachTask,
    Response,
    ResponseVersion,
    Tick,
    Visit,
)
from tests.planted import COMMENT, EMAIL, answered, asked, planted_customer, told

DAY = timedelta(days=1)
TRIES = (AccessAttempt, AccessFailureLog, AccessLog)


@pytest.fixture
def known(account):
    return planted_customer(account)


@pytest.mark.parametrize(
    ("now", "months", "before"),
    [
        ("2026-03-31T10:00Z", 1, "2026-02-28T10:00Z"),
        ("2026-01-15T10:00Z", 24, "2024-01-15T10:00Z"),
        ("2024-02-29T00:00Z", 36, "2021-02-28T00:00Z"),
        ("2026-12-01T00:00Z", 12, "2025-12-01T00:00Z"),
    ],
)
def test_months_are_those_of_the_calendar(now, months, before):
    found = expire.months_before(datetime.fromisoformat(now), months)
    assert found == datetime.fromisoformat(before)


@pytest.mark.parametrize(("days", "goes"), [(29, False), (31, True)])
def test_what_came_in_by_mail_goes_after_30_days(known, nps, alice, now, days, goes):
    told(asked(known, nps, now), alice, now)
    Message.objects.filter(kind="invitation").update(last_error="the server said something")
    expire.expire(now + days * DAY)
    mail, event = InboundMail.objects.get(), DeliveryEvent.objects.get()
    error = Message.objects.get(kind="invitation").last_error
    assert [bool(said) for said in (mail.text, mail.subject, mail.sender, event.detail, error)] == [
        not goes
    ] * 5
    assert (mail.customer, mail.kind, event.kind) == (known, "reply", "soft_bounce")


def test_the_error_of_a_mail_that_still_waits_for_a_person_stays(known, nps, now):
    asked(known, nps, now)
    Message.objects.update(state="held", last_error="Held back")
    expire.expire(now + 100 * DAY)
    assert Message.objects.get().last_error == "Held back"


def test_what_was_written_about_a_forgotten_customers_mail_goes_the_next_night(known, nps, now):
    invitation = asked(known, nps, now)
    forget(known, None, "", now)
    invitation.messages.update(last_error=f"450 <{EMAIL}> try later")
    expire.expire(now + timedelta(hours=5))
    assert Message.objects.get().last_error == ""


@pytest.mark.parametrize(("days", "kept"), [(29, 1), (31, 0)])
def test_addresses_and_browsers_go_after_30_days(known, nps, now, days, kept):
    invitation = asked(known, nps, now)
    Visit.objects.create(invitation=invitation, at=now, what="opened", client="c", agent="Firefox")
    link = OpenLink.objects.create(survey=nps, name="Counter")
    response = Response.objects.create(
        survey=nps, kind="nps", source="anonymous", score=9, band="promoter", answered_at=now
    )
    OpenAnswer.objects.create(link=link, response=response, at=now, client="c", digest=b"d")
    tried = {"username": "alice", "ip_address": "192.0.2.1", "user_agent": "Firefox"}
    AccessAttempt.objects.create(**tried, failures_since_start=1)
    AccessFailureLog.objects.create(**tried)
    AccessLog.objects.create(**tried)
    for model in TRIES:
        model.objects.update(attempt_time=now)
    expire.expire(now + days * DAY)
    assert [model.objects.count() for model in (Visit, *TRIES)] == [kept] * 4
    assert bool(OpenAnswer.objects.get().client) == bool(kept)


@pytest.mark.parametrize(("days", "goes"), [(700, False), (750, True)])
def test_answers_lose_whose_they_were_after_24_months(known, nps, alice, now, days, goes):
    invitation = asked(known, nps, now)
    answered(invitation, alice, now)
    expire.expire(now + days * DAY)
    response = Response.objects.get()
    assert (response.customer == known, bool(response.comment)) == (not goes, not goes)
    assert response.score == 1
    assert (OutreachTask.objects.get().customer == known) == (not goes)
    assert (Invitation.objects.get().customer == known) == (not goes)
    assert Customer.objects.get(pk=known.pk).email == EMAIL  # still a customer of ours


@pytest.mark.parametrize(("days", "comment"), [(700, COMMENT), (750, "")])
def test_what_strangers_wrote_goes_as_well(nps, now, days, comment):
    stranger = {"kind": "nps", "source": "anonymous", "score": 2, "band": "detractor"}
    row = Response.objects.create(survey=nps, comment=COMMENT, answered_at=now, **stranger)
    ResponseVersion.objects.create(response=row, number=1, comment=COMMENT, recorded_at=now)
    expire.expire(now + days * DAY)
    row.refresh_from_db()
    assert (row.comment, row.score, row.versions.count()) == (comment, 2, 1 if comment else 0)


def test_what_is_younger_stays_with_the_customer(known, nps, alice, now):
    answered(asked(known, nps, now), alice, now)
    later = now + 600 * DAY
    [second] = ask.invite(nps, [known], "test:2", later)
    answer.give(second, 9, "Much better", later)
    expire.expire(now + 750 * DAY)
    assert Response.objects.get(customer=known).comment == "Much better"
    assert Invitation.objects.get(customer=known) == second
    assert Response.objects.exclude(customer=known).get().comment == ""


def test_unanswered_invitations_and_events_are_parted_too(known, nps, alice, now):
    told(asked(known, nps, now), alice, now)
    expire.expire(now + 750 * DAY)
    assert Invitation.objects.get().customer != known
    assert not InboundMail.objects.filter(customer=known, invitation__isnull=False).exists()
    assert Event.objects.count() == 0


def test_a_late_answer_counts_from_its_own_day(known, nps, now):
    invitation = asked(known, nps, now)
    answer.give(invitation, 9, COMMENT, now + 25 * DAY)
    expire.expire(now + 740 * DAY)  # 24 months after the invitation, not yet after the answer
    assert Response.objects.get().customer == known


@pytest.mark.parametrize(("months", "left"), [(35, 1), (37, 0)])
def test_the_audit_trail_is_kept_for_36_months(known, months, left):
    now = timezone.now()
    AuditEntry.record("change", known, expire.months_before(now, months))
    expire.expire(now)
    assert AuditEntry.objects.filter(verb="change").count() == left


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("KEEP_MAIL_DAYS", lambda: InboundMail.objects.exclude(text="").count()),
        ("KEEP_ANSWER_MONTHS", lambda: Customer.objects.filter(forgotten_at=None).exclude(
            invitations=None).count()),
    ],
)  # fmt: skip
def test_the_settings_decide(settings, known, nps, alice, now, name, what):
    told(asked(known, nps, now), alice, now)
    setattr(settings, name, 3)
    expire.expire(now + 2 * DAY)
    assert what() == 1
    setattr(settings, name, 1)
    expire.expire(now + 45 * DAY)
    assert what() == 0


def test_batches_go_on_until_all_is_done_and_a_second_run_finds_nothing(
    monkeypatch, account, nps, now
):
    monkeypatch.setattr(expire, "BATCH", 2)
    for number in range(5):
        customer = Customer.objects.create(account=account, email=f"c{number}@mills.example")
        Visit.objects.create(invitation=asked(customer, nps, now), at=now, what="opened")
    later = now + 750 * DAY
    assert expire.expire(later) == 15  # visits, what servers said, customers
    assert Erasure.objects.filter(cause="time").count() == 5
    assert expire.expire(later) == 0


def test_a_run_that_was_killed_is_gone_on_with(monkeypatch, account, nps, now):
    for number in range(3):
        customer = Customer.objects.create(account=account, email=f"c{number}@mills.example")
        asked(customer, nps, now)

    def dies_at_the_second(*arguments):
        if Erasure.objects.exists():
            raise KeyboardInterrupt
        return forget(*arguments)

    later = now + 750 * DAY
    with monkeypatch.context() as patched:
        patched.setattr(expire, "forget", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            expire.expire(later)
    assert Erasure.objects.count() == 1
    expire.expire(later)
    assert Erasure.objects.count() == 3


def test_the_clock_runs_it_once_a_day(known, nps):
    past = timezone.now() - 31 * DAY
    Visit.objects.create(invitation=asked(known, nps, past), at=past, what="opened")
    assert tasks.expire_once_a_day() == 2
    Visit.objects.create(invitation=Invitation.objects.get(), at=past, what="opened")
    assert tasks.expire_once_a_day() == 0
    Tick.objects.update(at=timezone.now() - timedelta(hours=21))
    assert tasks.expire_once_a_day() == 1
    assert datetime.now(UTC) - Tick.objects.get(name="expire").at < DAY
