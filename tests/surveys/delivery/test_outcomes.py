from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from surveys.delivery import outcomes
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Invitation,
    Message,
    Suppression,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(nps, customer, now):
    """Make an invitation that was sent on day `day`."""

    def sent(day: int = 0, **values) -> Message:
        at = now + timedelta(days=day)
        invitation = Invitation.objects.create(
            survey=nps, customer=customer, occasion=f"test:{Invitation.objects.count()}",
            language="en", created_at=at, expires_at=at + timedelta(days=30),
        )  # fmt: skip
        values = {"state": "sent", "sent_at": at, "handed_at": at, **values}
        return Message.objects.create(
            kind="invitation", dedupe_key=f"invite:{invitation.pk}:0", invitation=invitation,
            next_at=at, created_at=at, **values,
        )  # fmt: skip

    return sent


def report(message, kind, now, event_id=None, source="mailbox"):
    event_id = event_id or f"event {DeliveryEvent.objects.count()}"
    return outcomes.record(
        message, kind, source=source, event_id=event_id, detail="550 5.1.1 No such user", now=now
    )


def suppressed():
    return list(Suppression.objects.values_list("reason", "family__name"))


def test_one_hard_bounce_stops_every_survey(send, now):
    assert report(send(), "hard_bounce", now)
    assert suppressed() == [("bounced", None)]
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.detail, event.at) == ("hard_bounce", "550 5.1.1 No such user", now)


def test_a_complaint_stops_every_survey(send, now):
    report(send(), "complaint", now)
    assert suppressed() == [("complained", None)]


def test_an_opt_out_stops_this_family(send, now, nps):
    report(send(), "unsubscribed", now)
    assert suppressed() == [("unsubscribed", nps.family.name)]


def test_who_is_stopped_can_read_why(send, now, customer):
    report(send(), "hard_bounce", now)
    entry = AuditEntry.objects.get(noun="customer", noun_id=customer.pk)
    assert (entry.verb, entry.reason) == ("suppress", "Hard bounce, reported by mailbox.")
    assert customer.email not in str(entry.after) + entry.reason


def test_the_same_report_counts_once(send, now, customer):
    message = send()
    assert [report(message, "soft_bounce", now, "a") for _ in range(3)] == [True, False, False]
    assert (DeliveryEvent.objects.count(), suppressed()) == (1, [])
    customer.refresh_from_db()
    assert customer.soft_bounces == 1


def test_the_same_id_from_another_source_is_another_report(send, now):
    message = send()
    assert report(message, "delivered", now, "a", source="postmark")
    assert report(message, "delivered", now, "a", source="mailbox")


@pytest.mark.parametrize("event_id", ["x" * 1_000, "a\x00b", "a\ud800b"])
def test_an_id_of_any_kind_is_kept_apart(send, now, event_id):
    assert report(send(), "delivered", now, event_id)
    assert not report(send(), "delivered", now, event_id)
    assert report(send(), "delivered", now, event_id + "y")


def test_two_soft_bounces_in_a_row_stop_it(send, now):
    report(send(0), "soft_bounce", now)
    assert suppressed() == []
    report(send(7), "soft_bounce", now + timedelta(days=7))
    assert suppressed() == [("bounced", None)]


def test_a_reported_delivery_between_them_starts_anew(send, now, customer):
    report(send(0), "soft_bounce", now)
    report(send(7), "delivered", now)
    report(send(14), "soft_bounce", now)
    assert suppressed() == []
    customer.refresh_from_db()
    assert customer.soft_bounces == 1


def test_a_mail_between_them_that_did_not_come_back_was_a_delivery(send, now):
    report(send(0), "soft_bounce", now)
    send(7)
    report(send(14), "soft_bounce", now)
    assert suppressed() == []
    report(send(21), "soft_bounce", now)
    assert suppressed() == [("bounced", None)]


def test_several_soft_bounces_of_one_mail_are_one(send, now):
    message = send()
    for _ in range(3):
        report(message, "soft_bounce", now)
    assert suppressed() == []


@pytest.mark.parametrize("kind", ["delivered", "hard_bounce", "complaint"])
def test_a_mail_in_doubt_was_sent_if_anybody_reports_on_it(send, now, kind):
    message = send(state="in_doubt", sent_at=None)
    report(message, kind, now)
    message.refresh_from_db()
    assert (message.state, message.sent_at) == ("sent", now)


def test_a_mail_that_a_sender_holds_or_nobody_took_stays_as_it_is(send, now):
    queued = send(state="queued", sent_at=None, handed_at=None)
    held = send(state="held", sent_at=None, handed_at=None)
    for message in (queued, held):
        report(message, "delivered", now)
        before = message.state
        message.refresh_from_db()
        assert message.state == before


def test_the_owner_hears_once_that_a_key_contact_cannot_be_reached(send, now, customer, alice):
    customer.is_key_contact = True
    customer.save()
    message = send()
    report(message, "soft_bounce", now)
    report(message, "hard_bounce", now)
    notice = Message.objects.get(kind="contact_bounced")
    assert (notice.user, notice.invitation) == (alice, message.invitation)


@pytest.mark.parametrize("change", ["not key", "no owner", "owner left"])
def test_nobody_is_told_where_nobody_would_act(send, now, customer, account, alice, change):
    customer.is_key_contact = change != "not key"
    customer.save()
    account.owner = None if change == "no owner" else alice
    account.save()
    alice.is_active = change != "owner left"
    alice.save()
    report(send(), "hard_bounce", now)
    assert not Message.objects.filter(kind="contact_bounced").exists()


def test_a_notice_to_staff_that_bounces_is_kept_and_suppresses_nobody(alice, now):
    welcome = Message.objects.create(
        kind="welcome", dedupe_key="w", user=alice, next_at=now, created_at=now
    )
    assert report(welcome, "hard_bounce", now)
    assert (suppressed(), DeliveryEvent.objects.get().survey) == ([], None)


def test_an_erased_address_suppresses_nothing(send, now, customer):
    message = send()
    Customer.objects.update(email=None)
    assert report(message, "hard_bounce", now)
    assert suppressed() == []


@pytest.mark.django_db(transaction=True)
def test_the_same_report_by_four_ways_at_once_counts_once(send, now, customer):
    message = send()

    def tell(_):
        try:
            return report(Message.objects.get(pk=message.pk), "soft_bounce", now, "the same")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        told = sorted(pool.map(tell, range(4)))
    customer.refresh_from_db()
    assert (told, customer.soft_bounces) == ([False, False, False, True], 1)


@pytest.mark.django_db(transaction=True)
def test_without_the_name_of_the_report_it_would_count_four_times(send, now):
    """The control: each way gives the report an id of its own."""
    message = send()

    def tell(way):
        try:
            return report(Message.objects.get(pk=message.pk), "delivered", now, f"way {way}")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(tell, range(4))) == [True] * 4
