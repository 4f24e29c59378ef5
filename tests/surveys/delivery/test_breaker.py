from datetime import timedelta

import pytest

from surveys.delivery import breaker, outcomes
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Invitation,
    Message,
    Survey,
    Wave,
)
from tests.conftest import survey_of

pytestmark = pytest.mark.django_db


def mails(survey, count, now, state="sent", wave=None, name="test"):
    """`count` invitations, one a minute from `now` on."""
    customers = Customer.objects.bulk_create(
        Customer(email=f"{name}{survey.pk}.{i}@mills.example") for i in range(count)
    )
    asked = Invitation.objects.bulk_create(
        Invitation(
            survey=survey, customer=customer, occasion=name, language="en", wave=wave,
            created_at=now, expires_at=now + timedelta(days=30),
        ).seal()
        for customer in customers
    )  # fmt: skip
    return Message.objects.bulk_create(
        Message(
            kind="invitation", dedupe_key=f"invite:{invitation.pk}:0", invitation=invitation,
            state=state, next_at=now, created_at=now,
            sent_at=now + timedelta(minutes=i) if state == "sent" else None,
        )
        for i, invitation in enumerate(asked)
    )  # fmt: skip


def report(messages, kind, now):
    for message in messages:
        outcomes.record(
            message, kind, source="mailbox", event_id=f"{kind} {message.pk}", detail="", now=now
        )


def paused(survey):
    return Survey.objects.get(pk=survey.pk).paused_reason


def states(survey):
    rows = Message.objects.filter(invitation__survey=survey, kind="invitation").order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_more_than_five_percent_hard_bounces_pause_the_survey(nps, now):
    sent = mails(nps, 100, now)
    report(sent[:5], "hard_bounce", now)
    assert paused(nps) == ""
    report(sent[5:6], "hard_bounce", now)
    assert paused(nps) == "6 of the last 100 mails bounced."


def test_below_a_hundred_mails_nothing_can_be_said(nps, now):
    report(mails(nps, 99, now), "hard_bounce", now)
    assert paused(nps) == ""


def test_only_the_last_five_hundred_count(nps, now):
    old = mails(nps, 100, now, name="old")
    report(old[:5], "hard_bounce", now)
    sent = mails(nps, 500, now + timedelta(days=1))
    report(sent[:25], "hard_bounce", now)
    assert paused(nps) == ""
    report(sent[25:26], "hard_bounce", now)
    assert paused(nps) == "26 of the last 500 mails bounced."


def test_a_mail_that_the_server_refused_at_once_counts_as_one_of_them(nps, now):
    mails(nps, 94, now)
    refused = mails(nps, 6, now, state="failed", name="refused")
    report(refused, "hard_bounce", now + timedelta(hours=1))
    assert paused(nps) == "6 of the last 100 mails bounced."


def test_refusals_before_the_last_five_hundred_are_past(nps, now):
    refused = mails(nps, 30, now, state="failed", name="refused")
    sent = mails(nps, 500, now + timedelta(days=1))
    report(refused, "hard_bounce", now)
    report(sent[:1], "hard_bounce", now + timedelta(days=2))
    assert paused(nps) == ""


def test_three_complaints_pause_a_small_survey(nps, now):
    sent = mails(nps, 50, now)
    report(sent[:2], "complaint", now)
    assert paused(nps) == ""
    report(sent[2:3], "complaint", now)
    assert paused(nps) == "3 of the last 50 mails drew spam complaints."


def test_of_thousands_more_than_one_in_a_thousand_may_complain_before_it_pauses(nps, now):
    sent = mails(nps, 4_000, now)
    report(sent[:4], "complaint", now)
    assert paused(nps) == ""
    report(sent[4:5], "complaint", now)
    assert paused(nps) == "5 of the last 4,000 mails drew spam complaints."


def test_soft_bounces_and_deliveries_pause_nothing(nps, now):
    sent = mails(nps, 100, now)
    report(sent, "soft_bounce", now)
    report(sent, "delivered", now)
    assert paused(nps) == ""


def test_several_reports_on_one_mail_are_one(nps, now):
    sent = mails(nps, 100, now)
    for i in range(10):
        outcomes.record(
            sent[0], "hard_bounce", source="mailbox", event_id=str(i), detail="", now=now
        )
    assert paused(nps) == ""


def test_each_survey_has_a_breaker_of_its_own(nps, now):
    other = survey_of("csat", name="After a ticket")
    mails(other, 100, now)
    report(mails(nps, 100, now)[:6], "hard_bounce", now)
    assert (bool(paused(nps)), paused(other)) == (True, "")


@pytest.fixture
def broken(nps, now):
    """A survey that is paused, with two mails of it waiting and one of another survey."""
    sent = mails(nps, 100, now)
    mails(nps, 2, now, state="queued", name="waiting")
    report(sent[:6], "hard_bounce", now)
    return Survey.objects.get(pk=nps.pk)


def test_what_waits_is_held_back(broken):
    assert states(broken)[-2:] == ["held", "held"]


def test_other_surveys_go_on(nps, now):
    other = survey_of("csat", name="After a ticket")
    mails(other, 1, now, state="queued")
    report(mails(nps, 100, now)[:6], "hard_bounce", now)
    assert states(other) == ["queued"]


def test_administrators_and_program_managers_are_alarmed_once(
    administrator, manager, alice, nps, now
):
    report(mails(nps, 100, now)[:20], "hard_bounce", now)
    alarms = Message.objects.filter(kind="alarm", survey=nps)
    assert sorted(alarm.user.name for alarm in alarms) == ["Administrator", "Manager"]


def test_the_pause_is_written_down_with_its_reason(broken):
    entry = AuditEntry.objects.get(verb="pause")
    assert (entry.noun_id, entry.after, entry.reason) == (
        broken.pk, {"mails held back": 2}, "6 of the last 100 mails bounced.",
    )  # fmt: skip


def test_what_was_held_back_is_known_but_for_paused_waves_and_others(nps, now):
    wave = Wave.objects.create(survey=nps, name="w", state="paused", launched_at=now)
    mails(nps, 1, now, state="queued", name="of no wave")
    mails(nps, 1, now, state="queued", name="of a wave", wave=wave)
    mails(nps, 1, now, state="held", name="held by somebody else")
    assert breaker.hold(nps) == 2
    held = breaker.held(Message.objects.filter(invitation__survey=nps))
    assert [message.invitation.occasion for message in held] == ["of no wave"]


def test_after_a_resume_it_counts_afresh(broken, now):
    Survey.objects.update(paused_reason="", resumed_at=now + timedelta(days=1))
    again = mails(broken, 100, now + timedelta(days=2), name="again")
    report(again[:5], "hard_bounce", now + timedelta(days=3))
    assert paused(broken) == ""
    report(again[5:6], "hard_bounce", now + timedelta(days=3))
    assert paused(broken) == "6 of the last 100 mails bounced."


@pytest.mark.parametrize("sent", [100, 300])
def test_the_count_takes_as_many_queries_for_many_as_for_few(
    nps, now, sent, django_assert_num_queries
):
    messages = mails(nps, sent, now)
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(
            source="s", event_id=str(i), kind="hard_bounce", message=m, survey=nps, at=now
        )
        for i, m in enumerate(messages[:5])
    )
    with django_assert_num_queries(5):
        assert not breaker.check(nps, "hard_bounce", now)
