from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.utils import timezone

from surveys.delivery import send, task_address
from surveys.inbound.take_in import take_in
from surveys.loop import answer, ask, close, forget, reach_out, write
from surveys.models import AuditEntry, DeliveryEvent, InboundMail, Message, Suppression, TaskMail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now():
    """Senders look at the clock on the wall."""
    return timezone.now()


@pytest.fixture
def task(nps, customer, now, settings):
    settings.TASK_ADDRESS = "tasks@northwind.example"
    settings.COMPANY = "Northwind"
    asked = ask.invite(nps, [customer], "event:1", now - timedelta(hours=1))[0]
    Message.objects.all().delete()
    task = answer.give(asked, 2, "Late.", now - timedelta(hours=1))[0].task
    Message.objects.all().delete()
    return task


def mailed(task, by, now, text="We are on it."):
    return write.write(task, by, "Your parcel", text, now)


def sent_to(mail_server, address):
    (content,) = [content for to, content in mail_server.kept if to == address]
    return message_from_bytes(content, policy=policy.default)


def test_it_arrives_as_one_person_wrote_it(mail_server, task, alice, now):
    mailed(task, alice, now, "Hello Ines,\n\nwe are on it: {7*7} <b>now</b>.\n\nAlice")
    assert send.drain(timezone.now) == 1
    mail = sent_to(mail_server, "ines@lakeside.example")
    message = Message.objects.get()
    assert {name: mail[name] for name in ("Subject", "From", "Reply-To", "To", "Message-ID")} == {
        "Subject": "Your parcel",
        "From": '"Alice, Northwind" <surveys@northwind.example>',
        "Reply-To": f"Alice <{task_address.address(task)}>",
        "To": "Ines Okafor <ines@lakeside.example>",
        "Message-ID": f"<voc.{message.pk}.task_mail@northwind.example>",
    }
    assert [mail["Auto-Submitted"], mail["List-Unsubscribe"], mail["In-Reply-To"]] == [None] * 3
    said = "Hello Ines,\n\nwe are on it: {7*7} <b>now</b>.\n\nAlice"
    assert mail.get_content().strip().replace("\r\n", "\n") == said


def test_it_is_an_attempt_once_the_server_has_taken_it(mail_server, task, alice, now):
    mail = mailed(task, alice, now)
    assert (write.log_sent(now), task.contacts.count()) == (0, 0)
    send.drain(timezone.now)
    assert [write.log_sent(timezone.now()) for _ in range(2)] == [1, 0]
    attempt, message = task.contacts.get(), Message.objects.get()
    assert (attempt.user, attempt.outcome, attempt.reached) == (alice, "mail_sent", False)
    assert (attempt.message_id, attempt.proven_at) == (message.message_id, message.sent_at)
    assert TaskMail.objects.get(pk=mail.pk).contact == attempt
    task.refresh_from_db()
    assert task.first_contact_at is None
    verbs = AuditEntry.objects.filter(noun="outreachtask", actor=alice).order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["write", "contact"]


def test_a_mail_that_the_server_refused_is_no_attempt(mail_server, task, alice, now):
    mail_server.at_rcpt["ines@lakeside.example"] = "550 5.1.1 No such user"
    mailed(task, alice, now)
    send.drain(timezone.now)
    assert write.log_sent(timezone.now()) == 0
    refused, told = Message.objects.order_by("pk")
    assert (refused.kind, refused.state) == ("task_mail", "failed")
    assert (told.kind, told.user, told.state) == ("contact_bounced", alice, "sent")
    event = DeliveryEvent.objects.get()
    assert (event.kind, event.survey) == ("hard_bounce", None)
    with pytest.raises(write.CannotWrite, match="Mails to this address come back"):
        mailed(task, alice, now)


def test_a_mail_that_may_have_arrived_is_sent_again_and_logged_once(mail_server, task, alice, now):
    mail_server.at_data = ["keep, then hang up"]
    mailed(task, alice, now)
    send.drain(timezone.now)
    assert write.log_sent(timezone.now()) == 0
    Message.objects.update(next_at=now)
    send.drain(timezone.now)
    assert write.log_sent(timezone.now()) == 1
    ids = [message_from_bytes(content)["Message-ID"] for _, content in mail_server.kept]
    assert ids == [task.contacts.get().message_id] * 2


def test_a_mail_sent_while_the_task_was_closed_is_logged_all_the_same(
    mail_server, task, alice, root_cause, now
):
    mailed(task, alice, now)
    close.close(task, alice, root_cause, "lost", "They left.", now)
    send.drain(timezone.now)
    assert write.log_sent(timezone.now()) == 1
    task.refresh_from_db()
    assert (task.state, task.contacts.get().outcome) == ("closed", "mail_sent")


def test_the_customers_reply_makes_a_contact_of_it(mail_server, task, alice, now, settings):
    settings.AUTHSERV_ID = "mx.northwind.example"
    mailed(task, alice, now)
    send.drain(timezone.now)
    write.log_sent(timezone.now())
    to = sent_to(mail_server, "ines@lakeside.example")["Reply-To"].addresses[0].addr_spec
    reply = (
        "Authentication-Results: mx.northwind.example; dmarc=pass header.from=lakeside.example\r\n"
        f"From: Ines <ines@lakeside.example>\r\nTo: {to}\r\nMessage-ID: <1@lakeside.example>\r\n"
        "Subject: Re: Your parcel\r\n\r\nThank you for calling back.\r\n"
    )
    came = timezone.now()
    assert take_in(reply.encode(), came)
    task.refresh_from_db()
    assert task.first_contact_at == came
    assert [each.outcome for each in task.contacts.all()] == ["mail_sent", "replied"]


def test_the_next_mail_stands_below_the_reply(mail_server, task, alice, now):
    InboundMail.objects.create(
        message_id="<7@lakeside.example>", kind="reply", customer=task.customer, received_at=now
    )
    task.contacts.create(
        channel="email", outcome="replied", logged_at=now, message_id="<7@lakeside.example>"
    )
    mailed(task, alice, now)
    send.drain(timezone.now)
    mail = sent_to(mail_server, "ines@lakeside.example")
    assert (mail["In-Reply-To"], mail["References"]) == ("<7@lakeside.example>",) * 2


def test_a_strangers_message_id_stays_out_of_the_headers(mail_server, task, alice, now):
    task.contacts.create(
        channel="email", outcome="replied", logged_at=now, message_id="<a b\u2028é@x>"
    )
    mailed(task, alice, now)
    send.drain(timezone.now)
    assert sent_to(mail_server, "ines@lakeside.example")["In-Reply-To"] is None


def test_without_an_address_of_the_task_replies_go_to_the_writer(
    mail_server, task, alice, now, settings
):
    settings.TASK_ADDRESS = ""
    mailed(task, alice, now)
    send.drain(timezone.now)
    reply_to = sent_to(mail_server, "ines@lakeside.example")["Reply-To"]
    assert reply_to == "Alice <alice@northwind.example>"


@pytest.mark.parametrize(
    ("subject", "text", "said"),
    [
        ("", "Hello", "needs a subject and a text"),
        ("Hello", " \n", "needs a subject and a text"),
        ("Hello", "Dear {name},", "“{name}” is not filled in"),
        ("About {product}", "Hello", "“{product}” is not filled in"),
    ],
)
def test_what_is_not_whole_is_not_sent(task, alice, now, subject, text, said):
    with pytest.raises(write.CannotWrite, match=said):
        write.write(task, alice, subject, text, now)
    assert not Message.objects.exists()


def test_who_wants_no_surveys_is_written_to_and_who_calls_it_spam_is_not(task, alice, now):
    Suppression.add("ines@lakeside.example", Suppression.Reason.UNSUBSCRIBED, now)
    mailed(task, alice, now)
    Suppression.add("ines@lakeside.example", Suppression.Reason.COMPLAINED, now)
    Suppression.objects.update(reason="complained")
    task.refresh_from_db()
    with pytest.raises(write.CannotWrite, match="spam"):
        mailed(task, alice, now)


def test_a_complaint_between_writing_and_sending_stops_it(mail_server, task, alice, now):
    mailed(task, alice, now)
    Suppression.add("ines@lakeside.example", Suppression.Reason.COMPLAINED, now)
    send.drain(timezone.now)
    assert (Message.objects.get().state, mail_server.kept) == ("cancelled", [])


def test_an_address_that_changes_at_the_last_moment_is_the_one_written_to(
    mail_server, task, alice, now, monkeypatch
):
    """After the claim, before the hand-over: the statement that commits it looks once more."""
    mailed(task, alice, now)
    rendered = []

    def change(letter_for=send.Batch._deliver):
        def deliver(self, lane, message, letter):
            if not rendered:
                rendered.append(letter.recipient)
                type(task.customer).objects.update(email="new@lakeside.example")
            return letter_for(self, lane, message, letter)

        return deliver

    monkeypatch.setattr(send.Batch, "_deliver", change())
    send.drain(timezone.now)
    send.drain(timezone.now)
    assert (rendered, mail_server.recipients) == (
        ["ines@lakeside.example"],
        ["new@lakeside.example"],
    )


def test_two_who_write_at_once_do_not_both(task, alice, lead, now):
    write.write(task, alice, "Sorry", "We are on it.", now, task.version)
    with pytest.raises(reach_out.ChangedMeanwhile, match="write by Alice"):
        write.write(task, lead, "Sorry", "We are on it.", now, task.version)
    assert TaskMail.objects.count() == 1


def test_nothing_of_it_is_left_when_the_customer_is_forgotten(mail_server, task, alice, now):
    mailed(task, alice, now, "Dear Ines, about your parcel.")
    send.drain(timezone.now)
    write.log_sent(timezone.now())
    forget.forget(task.customer, alice, "", timezone.now())
    assert list(TaskMail.objects.values_list("subject", "text")) == [("", "")]
    mailed_again = TaskMail.objects.filter(contact=None)
    assert (write.log_sent(timezone.now()), mailed_again.count()) == (0, 0)


def test_who_is_forgotten_before_it_goes_out_gets_no_mail(mail_server, task, alice, now):
    mailed(task, alice, now)
    forget.forget(task.customer, alice, "", now)
    send.drain(timezone.now)
    assert (Message.objects.get().state, mail_server.kept) == ("cancelled", [])
    assert write.log_sent(timezone.now()) == 0
