"""Mails that the server may or may not have taken: evidence first, then the setting or a person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.delivery import claim, doubt, handover, outcomes, send
from surveys.delivery.handover import HandOver
from surveys.loop import answer, deliver
from surveys.loop.forget import forget
from surveys.loop.unsubscribe import unsubscribe
from surveys.models import DeliveryEvent, Message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doubtful(mail_server, asked) -> Message:
    """The first of three mails; the server kept it and hung up."""
    mail_server.at_data = ["keep, then hang up"]
    send.drain(timezone.now)
    return Message.objects.in_doubt().get()


def state(message) -> str:
    message.refresh_from_db()
    return message.state


def test_an_answer_proves_that_the_invitation_arrived(doubtful):
    answer.give(doubtful.invitation, 9, "", timezone.now())
    assert doubt.reconcile(timezone.now()) == 1
    assert state(doubtful) == "sent"
    assert doubtful.sent_at == doubtful.handed_at


def test_an_answer_proves_nothing_about_a_reminder(doubtful):
    Message.objects.filter(pk=doubtful.pk).update(kind="reminder")
    answer.give(doubtful.invitation, 9, "", timezone.now())
    assert doubt.reconcile(timezone.now()) == 0
    assert state(doubtful) == "in_doubt"


def opt_out(invitation):
    unsubscribe(invitation, timezone.now(), one_click=True)


def delete(invitation):
    forget(invitation.customer, None, "", timezone.now(), "customer", link=invitation)


@pytest.mark.parametrize("use", [opt_out, delete])
def test_whoever_opts_out_or_deletes_by_the_link_had_the_invitation(doubtful, use):
    use(doubtful.invitation)
    assert (state(doubtful), doubtful.sent_at) == ("sent", doubtful.handed_at)


@pytest.mark.parametrize("use", [opt_out, delete])
def test_the_link_of_one_mail_says_nothing_of_another_or_of_a_reminder(doubtful, use):
    """The control."""
    other = Message.objects.exclude(pk=doubtful.pk).first()
    use(other.invitation)
    assert state(doubtful) == "in_doubt"
    Message.objects.filter(pk=doubtful.pk).update(kind="reminder")
    use(doubtful.invitation)
    assert state(doubtful) != "sent"


def test_a_colleague_who_forgets_a_customer_proves_nothing(doubtful):
    forget(doubtful.invitation.customer, None, "", timezone.now())
    assert state(doubtful) == "cancelled"


@pytest.mark.parametrize("kind", DeliveryEvent.Kind.values)
def test_any_report_proves_that_it_arrived(doubtful, kind):
    DeliveryEvent.objects.create(
        source="mailbox", event_id="1", kind=kind, message=doubtful, at=timezone.now()
    )
    assert doubt.reconcile(timezone.now()) == 1
    assert state(doubtful) == "sent"


def test_a_report_settles_it_at_once(doubtful):
    outcomes.record(doubtful, "delivered", source="mailgun", event_id="1", now=timezone.now())
    assert state(doubtful) == "sent"


def test_without_evidence_it_waits_for_a_person(doubtful):
    assert doubt.reconcile(timezone.now() + timedelta(days=1)) == 0
    assert state(doubtful) == "in_doubt"


def test_or_it_is_sent_again_after_ten_minutes_under_the_same_message_id(
    doubtful, mail_server, settings
):
    settings.RESEND_IN_DOUBT = True
    ripe = doubtful.handed_at + doubt.WAIT
    assert doubt.reconcile(ripe - timedelta(seconds=1)) == 0
    assert doubt.reconcile(ripe) == 1
    assert state(doubtful) == "queued"
    send.drain(lambda: ripe)
    assert state(doubtful) == "sent"
    twice = [mail for _, mail in mail_server.kept if doubtful.message_id.encode() in mail]
    assert len(twice) == 2


def test_evidence_comes_before_sending_again(doubtful, settings):
    settings.RESEND_IN_DOUBT = True
    answer.give(doubtful.invitation, 9, "", timezone.now())
    assert doubt.reconcile(doubtful.handed_at + doubt.WAIT) == 1
    assert state(doubtful) == "sent"


@pytest.mark.parametrize(("arrived", "becomes"), [(True, "sent"), (False, "queued")])
def test_the_receiving_side_may_be_asked(doubtful, arrived, becomes):
    assert doubt.settle(doubtful, arrived, timezone.now())
    assert state(doubtful) == becomes
    assert not doubt.settle(doubtful, arrived, timezone.now())


def test_a_sender_that_was_only_thought_dead_settles_it_itself(asked):
    now = timezone.now()
    (message,) = claim.claim(now, 1)
    handover.commit([HandOver(message)], now)
    claim.free_abandoned(now + claim.LEASE + timedelta(seconds=1))
    assert state(message) == "in_doubt"
    message.sent_at = now
    assert claim.sent(message)
    assert state(message) == "sent"


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        (deliver.arrived, {"in_doubt"}),
        (deliver.send_again, {"in_doubt", "held", "failed"}),
        (deliver.give_up, {"in_doubt", "held"}),
    ],
)
def test_a_person_decides_only_what_is_undecided(doubtful, manager, verb, states):
    refused = set()
    for one in Message.State.values:
        Message.objects.filter(pk=doubtful.pk).update(
            state=one, sent_at=timezone.now(), handed_at=timezone.now()
        )
        try:
            verb(doubtful, manager, timezone.now())
        except deliver.NotForYou:
            refused.add(one)
    assert refused == set(Message.State.values) - states


def test_what_is_sent_again_starts_afresh(doubtful, manager):
    Message.objects.filter(pk=doubtful.pk).update(attempts=5, refusals=2)
    now = timezone.now()
    deliver.send_again(doubtful, manager, now)
    doubtful.refresh_from_db()
    assert (doubtful.state, doubtful.attempts, doubtful.refusals, doubtful.handed_at) == (
        "queued",
        0,
        0,
        None,
    )
    assert doubtful.next_at == now
