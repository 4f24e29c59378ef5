import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes, policy
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from surveys.delivery import claim, emails, handover, pace, send
from surveys.delivery.handover import HandOver
from surveys.delivery.smtp import Lane
from surveys.loop import ask
from surveys.loop.suppress import suppress
from surveys.models import Brand, Customer, Message

pytestmark = pytest.mark.django_db(transaction=True)


def states() -> Counter:
    return Counter(Message.objects.values_list("state", flat=True))


def test_every_due_mail_is_sent_once_over_one_connection(mail_server, asked):
    assert send.drain(timezone.now) == 3
    assert mail_server.recipients == ["c0@mills.example", "c1@mills.example", "c2@mills.example"]
    assert mail_server.connections == 1
    assert states() == {"sent": 3}
    assert send.drain(timezone.now) == 0


def test_a_sent_mail_knows_its_message_id_and_times(mail_server, asked):
    send.drain(timezone.now)
    message = Message.objects.first()
    assert message.message_id == f"<voc.{message.pk}.invitation@northwind.example>"
    assert message.created_at <= message.handed_at <= message.sent_at
    assert message.message_id.encode() in mail_server.kept[-1][1] + mail_server.kept[0][1]


def test_four_senders_at_once_send_each_mail_once(mail_server, nps, account):
    customers = Customer.objects.bulk_create(
        Customer(account=account, email=f"many{i}@mills.example") for i in range(60)
    )
    ask.invite(nps, customers, "test:2", timezone.now())

    def sender(_):
        try:
            return send.drain(timezone.now, batch=5)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sender, range(4))) == 60
    assert mail_server.recipients == sorted(customer.email for customer in customers)


def test_without_the_claim_four_senders_would_send_some_twice(mail_server, nps, account):
    """The control: the same race with rows that are read and not claimed."""
    customers = Customer.objects.bulk_create(
        Customer(account=account, email=f"many{i}@mills.example") for i in range(60)
    )
    ask.invite(nps, customers, "test:2", timezone.now())

    def careless_sender(_):
        try:
            with Lane() as lane:
                for message in Message.objects.filter(state="queued").order_by("pk"):
                    message.message_id = claim.message_id(message)
                    lane.deliver(emails.render(message), lambda: True)
                    Message.objects.filter(pk=message.pk).update(
                        state="sent", sent_at=timezone.now()
                    )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(careless_sender, range(4)))
    assert max(Counter(mail_server.recipients).values()) > 1


def test_a_temporary_no_is_tried_again_later(mail_server, asked):
    mail_server.at_rcpt["c1@mills.example"] = "450 Mailbox busy"
    before = timezone.now()
    assert send.drain(timezone.now) == 2
    message = Message.objects.get(state="queued")
    assert message.last_error == "450 Mailbox busy"
    assert message.next_at >= before + claim.BACK_OFF[0] * (1 - claim.JITTER)
    mail_server.at_rcpt.clear()
    assert send.drain(lambda: timezone.now() + timedelta(minutes=2)) == 1
    assert len(mail_server.recipients) == 3


@pytest.mark.parametrize("place", ["at_rcpt", "at_data"])
def test_a_final_no_fails_this_mail_alone(mail_server, asked, place):
    if place == "at_rcpt":
        mail_server.at_rcpt["c0@mills.example"] = "550 No such mailbox"
    else:
        mail_server.at_data = ["554 Not that"]
    assert send.drain(timezone.now) == 2
    assert states() == {"sent": 2, "failed": 1}


def test_a_server_that_hangs_up_after_the_body_leaves_one_mail_in_doubt(mail_server, asked):
    mail_server.at_data = ["keep, then hang up"]
    assert send.drain(timezone.now) == 2
    assert states() == {"sent": 2, "in_doubt": 1}
    later = timezone.now() + timedelta(days=1)
    assert send.drain(lambda: later) == 0
    assert mail_server.recipients == ["c0@mills.example", "c1@mills.example", "c2@mills.example"]


def test_a_notice_to_staff_is_repeated_with_the_same_message_id(mail_server, alice):
    now = timezone.now()
    Message.objects.create(kind="welcome", dedupe_key="w", user=alice, next_at=now, created_at=now)
    mail_server.at_data = ["keep, then hang up"]
    assert send.drain(timezone.now) == 0
    assert send.drain(lambda: timezone.now() + timedelta(minutes=2)) == 1
    ids = {
        line for _, mail in mail_server.kept for line in mail.splitlines() if b"Message-ID" in line
    }
    assert (len(mail_server.kept), len(ids)) == (2, 1)


def test_an_unreachable_server_costs_no_attempt(asked, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert send.drain(timezone.now) == 0
    assert states() == {"queued": 3}
    assert set(Message.objects.values_list("attempts", flat=True)) == {0}


def test_one_mail_that_cannot_be_written_does_not_stop_the_others(mail_server, asked, customers):
    Customer.objects.filter(pk=customers[0].pk).update(email="no address at all")
    assert send.drain(timezone.now) == 2
    assert Message.objects.get(state="failed").last_error.startswith("Cannot be written:")


def test_who_unsubscribes_after_being_planned_is_not_asked(mail_server, asked, nps):
    suppress("c1@mills.example", "unsubscribed", timezone.now())
    assert send.drain(timezone.now) == 2
    assert Message.objects.get(state="cancelled").last_error == (
        "The customer does not want to be asked."
    )


def test_a_closed_survey_sends_nothing_more(mail_server, asked, nps):
    nps.is_open = False
    nps.save()
    assert send.drain(timezone.now) == 0
    assert states() == {"cancelled": 3}


def test_a_dead_senders_rows_are_freed_when_its_lease_has_run_out(asked):
    now = timezone.now()
    claimed = claim.claim(now, 10)
    handover.commit([HandOver(claimed[0])], now)
    assert claim.free_abandoned(now + claim.LEASE) == 0
    assert claim.free_abandoned(now + claim.LEASE + timedelta(seconds=1)) == 3
    assert states() == {"in_doubt": 1, "queued": 2}


def test_a_sender_that_slept_past_its_lease_can_change_nothing(asked):
    now = timezone.now()
    sleeper = claim.claim(now, 10)
    later = now + claim.LEASE + timedelta(seconds=1)
    claim.free_abandoned(later)
    claim.claim(later, 10)
    sleeper[0].sent_at = later
    assert handover.commit([HandOver(sleeper[0])], later) == set()
    assert not claim.sent(sleeper[0])
    assert states() == {"sending": 3}


def test_a_mail_over_which_senders_die_is_given_up_and_takes_no_other_with_it(asked):
    now, poison = timezone.now(), Message.objects.earliest("pk").pk
    claims = []
    while claimed := claim.claim(now, 10):
        claims.append(sorted(message.pk for message in claimed))
        for message in claimed:  # the poison is written first, and kills
            if message.pk == poison:
                break
            message.sent_at = now
            claim.sent(message)
        now += claim.LEASE + timedelta(seconds=1)
        claim.free_abandoned(now)
    assert states() == {"failed": 1, "sent": 2}
    assert Message.objects.get(state="failed").pk == poison
    together = [[poison, poison + 1, poison + 2]] * claim.DEATHS_BEFORE_ALONE
    assert claims[:2] == together
    assert claims.count([poison]) == claim.CLAIMS_WITHOUT_PROGRESS - claim.DEATHS_BEFORE_ALONE


@pytest.fixture
def given_up(asked, administrator):
    """A mail after whose fifth claim the sender died, as four had before."""
    first = Message.objects.earliest("pk")
    Message.objects.exclude(pk=first.pk).delete()
    now = timezone.now()
    for _ in range(claim.CLAIMS_WITHOUT_PROGRESS):
        assert not Message.objects.filter(kind="alarm").exists()
        claim.claim(now, 1)
        now += claim.LEASE + timedelta(seconds=1)
        assert claim.free_abandoned(now) == 1
    first.refresh_from_db()
    assert first.state == "failed"
    return first


def test_the_administrators_are_told_once_of_a_mail_that_was_given_up(
    given_up, administrator, mail_server
):
    assert claim.free_abandoned(timezone.now() + timedelta(days=1)) == 0
    alarm = Message.objects.get(kind="alarm")
    assert (alarm.user, alarm.state) == (administrator, "queued")
    assert send.drain(lambda: timezone.now() + timedelta(hours=1)) == 1
    ((recipient, raw),) = mail_server.kept
    mail = message_from_bytes(raw, policy=policy.default)
    assert (recipient, mail["Subject"]) == (administrator.email, "A mail was given up")
    text = mail.get_content()
    assert (
        f"5 senders in a row died over one mail (invitation to {given_up.invitation.customer})"
        in text
    )
    assert f"/admin/surveys/message/{given_up.pk}/change/" in text


def test_an_alarm_over_which_senders_die_raises_no_other(given_up):
    alarm = Message.objects.get(kind="alarm")
    now = alarm.next_at
    for _ in range(claim.CLAIMS_WITHOUT_PROGRESS):
        claim.claim(now, 1)
        now += claim.LEASE + timedelta(seconds=1)
        claim.free_abandoned(now)
    assert Message.objects.get(kind="alarm").state == "failed"


def test_refusals_never_make_a_mail_one_over_which_senders_die(asked):
    now = timezone.now()
    for _ in range(2 * claim.CLAIMS_WITHOUT_PROGRESS):
        message, *others = claim.claim(now, 10)
        claim.give_back(others, "The lane was at fault.")
        claim.later(message, now, "450 Mailbox busy")
        Message.objects.update(next_at=now)
    claim.claim(now, 10)
    claim.free_abandoned(now + claim.LEASE + timedelta(seconds=1))
    assert states() == {"queued": 3}


def test_a_mail_is_tried_until_its_invitation_expires(asked):
    now = timezone.now()
    (message,) = claim.claim(now, 1)
    assert claim.later(message, asked[0].expires_at - timedelta(seconds=30), "450 Mailbox busy")
    assert Message.objects.get(state="failed").last_error == (
        "Given up at the end of its time: 450 Mailbox busy"
    )


@pytest.mark.parametrize(
    ("refusals", "minutes"), [(0, 1), (1, 5), (2, 15), (3, 60), (4, 240), (9, 240)]
)
def test_the_pauses_between_refusals_grow(asked, refusals, minutes):
    now = timezone.now()
    (message,) = claim.claim(now, 1)
    message.refusals = refusals
    claim.later(message, now, "450 Mailbox busy")
    message.refresh_from_db()
    pause = timedelta(minutes=minutes)
    assert pause * (1 - claim.JITTER) <= message.next_at - now <= pause * (1 + claim.JITTER)


def test_a_notice_to_staff_overtakes_a_wave(asked, alice):
    now = timezone.now()
    Message.objects.create(kind="welcome", dedupe_key="w", user=alice, next_at=now, created_at=now)
    assert [message.kind for message in claim.claim(now, 1)] == ["welcome"]


@pytest.mark.parametrize("rows", [1, 3])
def test_claiming_and_its_people_take_as_many_queries_for_many_as_for_one(
    asked, rows, django_assert_num_queries
):
    with django_assert_num_queries(4):  # the claim, all that the rows are about, surveys, wordings
        assert len(claim.claim(timezone.now(), rows)) == rows


@pytest.mark.parametrize("rows", [1, 3])
def test_a_brand_costs_one_query_for_all_of_them(asked, nps, rows, django_assert_num_queries):
    nps.brand = Brand.objects.create(name="Northwind", colour="#0f766e")
    nps.save()
    with django_assert_num_queries(5):
        claimed = claim.claim(timezone.now(), rows)
    with django_assert_num_queries(0):
        assert all(b"#0f766e" in emails.render(message).content for message in claimed)


@pytest.fixture
def ten(nps, account):
    customers = [
        Customer.objects.create(account=account, email=f"t{i}@mills.example") for i in range(10)
    ]
    return ask.invite(nps, customers, "test:10", timezone.now())


@pytest.fixture
def pauses(monkeypatch):
    """The seconds for which a sender's connections paused; its clock stands still meanwhile."""
    taken = []

    class Stop(threading.Event):
        def wait(self, seconds):
            taken.append(seconds)
            return self.is_set()

    run = send.Run
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: 0.0))
    monkeypatch.setattr(send, "Run", lambda *shared: run(*shared, stop=Stop()))
    return taken


@pytest.fixture
def all_at_once(monkeypatch):
    """No connection goes on before each of the three has claimed its first batch."""
    meet, met, take = threading.Barrier(3), threading.local(), claim.claim

    def claimed(*arguments):
        batch = take(*arguments)
        if not hasattr(met, "others"):
            met.others = meet.wait(20)
        return batch

    monkeypatch.setattr(claim, "claim", claimed)


def test_one_rate_holds_for_all_connections_of_a_sender(
    mail_server, ten, settings, pauses, all_at_once
):
    settings.MAIL_CONNECTIONS, settings.MAIL_RATE = 3, 4
    assert send.drain(timezone.now, batch=4) == 10
    assert mail_server.connections == 3
    assert sorted(pauses) == [turn / 4 for turn in range(1, 10)]  # the first goes at once


def test_without_a_rate_no_connection_pauses(mail_server, ten, settings, pauses):
    settings.MAIL_CONNECTIONS, settings.MAIL_RATE = 3, 0
    assert send.drain(timezone.now, batch=4) == 10
    assert pauses == []
