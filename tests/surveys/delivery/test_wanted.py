"""24 hours between two surveys to one customer hold when the mails go out, not only in the plan."""

from datetime import timedelta

import pytest

from surveys.delivery import batch, claim, send
from surveys.delivery.wanted import ASKED_LATELY, Known
from surveys.models import Customer, Invitation, Kind, Message
from tests.conftest import survey_of

HOUR = timedelta(hours=1)


@pytest.fixture
def other(db):
    return survey_of(Kind.CSAT, name="Support")


def mail(survey, customer, at, kind="invitation", **fields) -> Message:
    """As two waves had planned it weeks apart, and a pause has brought together."""
    asked = Invitation.objects.create(
        survey=survey, customer=customer, occasion=f"{kind}:{at}", language="en",
        created_at=at, expires_at=at + timedelta(days=30),
    )  # fmt: skip
    return Message.objects.create(
        kind=kind, dedupe_key=f"{asked.pk}", invitation=asked, next_at=at, created_at=at, **fields
    )


def sent(survey, customer, at, **fields) -> Message:
    return mail(survey, customer, at, state="sent", sent_at=at, handed_at=at, **fields)


def spaced(message, now):
    return Known([message], now).spaced_until(message, now)


def test_an_invitation_waits_for_24_hours_after_another_surveys(nps, other, customer, now):
    waiting = mail(nps, customer, now)
    assert spaced(waiting, now) is None
    sent(other, customer, now - 23 * HOUR)
    sent(other, customer, now - 20 * HOUR)
    assert spaced(waiting, now) == now + 4 * HOUR
    assert spaced(waiting, now + 4 * HOUR) is None


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"state": "sent"}, True),
        ({"state": "in_doubt", "sent_at": None}, True),
        ({"state": "sending", "sent_at": None}, True),
        ({"state": "sending", "sent_at": None, "handed_at": None}, False),
        ({"state": "failed", "sent_at": None}, False),
        ({"kind": "heads_up"}, False),
        ({"kind": "reminder"}, True),
    ],
    ids=str,
)
def test_what_the_customer_may_have_got_counts(nps, other, customer, now, fields, counts):
    earlier = sent(other, customer, now - HOUR)
    Message.objects.filter(pk=earlier.pk).update(
        lease="8c7b5c4e-0000-4000-8000-000000000000", lease_until=now, **fields
    )
    assert bool(spaced(mail(nps, customer, now), now)) is counts


def test_neither_other_customers_nor_its_own_mail_count(nps, other, account, customer, now):
    sent(other, Customer.objects.create(account=account, email="b@lakeside.example"), now)
    again = sent(nps, customer, now - HOUR)  # once more, as a person decided
    assert spaced(again, now) is None


def test_a_reminder_waits_too(nps, other, customer, now):
    sent(other, customer, now - HOUR)
    assert spaced(mail(nps, customer, now, kind="reminder"), now) == now + 23 * HOUR


def test_an_announcement_is_exempt(nps, other, customer, now):
    sent(other, customer, now - HOUR)
    assert spaced(mail(nps, customer, now, kind="heads_up"), now) is None


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow(
    nps, other, account, now, rows, django_assert_num_queries
):
    waiting = []
    for n in range(rows):
        one = Customer.objects.create(account=account, email=f"c{n}@lakeside.example")
        sent(other, one, now - HOUR)
        waiting.append(mail(nps, one, now))
    with django_assert_num_queries(3):
        known = Known(waiting, now)
        assert all(known.spaced_until(one, now) == now + 23 * HOUR for one in waiting)


@pytest.mark.django_db(transaction=True)
def test_of_two_that_a_pause_brought_together_the_second_waits_a_day(
    mail_server, nps, other, customer, now
):
    first, second = mail(nps, customer, now - HOUR), mail(other, customer, now)
    assert send.drain(lambda: now) == 1
    second.refresh_from_db()
    assert (second.state, second.next_at, second.attempts) == ("queued", now + 24 * HOUR, 0)
    assert (second.last_error, second.handed_at) == (ASKED_LATELY, None)
    first.refresh_from_db()
    assert first.state == "sent"
    assert send.drain(lambda: now + 24 * HOUR) == 1
    assert len(mail_server.kept) == 2


@pytest.mark.django_db(transaction=True)
def test_the_last_look_is_at_the_hand_over_itself(
    mail_server, nps, other, customer, now, monkeypatch
):
    """Also when another sender was quicker, after this one had asked."""
    waiting = mail(nps, customer, now)
    written = batch._written

    def quicker(message):
        sent(other, customer, now)
        return written(message)

    monkeypatch.setattr(batch, "_written", quicker)
    assert send.drain(lambda: now) == 0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.last_error) == ("queued", ASKED_LATELY)
    assert mail_server.kept == []


@pytest.mark.django_db(transaction=True)
def test_without_the_rule_both_would_come_within_the_hour(
    mail_server, nps, other, customer, now, monkeypatch
):
    """The control: an announcement, which is exempt, in the place of the second invitation."""
    mail(nps, customer, now - HOUR)
    second = mail(other, customer, now, kind="heads_up")
    assert send.drain(lambda: now) == 2
    second.refresh_from_db()
    assert second.state == "sent"


@pytest.mark.django_db(transaction=True)
def test_the_claim_that_waits_is_not_counted(nps, other, customer, now, mail_server):
    sent(other, customer, now - HOUR)
    waiting = mail(nps, customer, now)
    for hours in range(claim.CLAIMS_WITHOUT_PROGRESS + 1):
        Message.objects.filter(pk=waiting.pk).update(next_at=now)
        assert send.drain(lambda at=now + hours * HOUR: at) == 0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("queued", 0)
