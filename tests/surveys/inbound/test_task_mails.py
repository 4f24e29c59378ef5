"""A mail to a task's own address logs itself, if it is from whom it says."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from surveys.delivery import task_address, verp
from surveys.inbound import embedded
from surveys.inbound.take_in import take_in
from surveys.loop import answer, ask, close
from surveys.models import AuditEntry, Contact, Customer, InboundMail, Message, OutreachTask
from tests.surveys.inbound.mails import reply

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
PROVEN = "mx.northwind.example; dkim=pass header.d=lakeside.example; dmarc=none"
BY_ALICE = "mx.northwind.example; spf=pass smtp.mailfrom=alice@northwind.example"
INES = "Ines Okafor <ines@lakeside.example>"


@pytest.fixture(autouse=True)
def _server(settings):
    settings.TASK_ADDRESS = "tasks@northwind.example"
    settings.AUTHSERV_ID = "mx.northwind.example"


@pytest.fixture
def task(nps, customer, now):
    return answer.give(ask.invite(nps, [customer], "event:1", now)[0], 2, "Late.", now)[0].task


def from_customer(task, results=PROVEN, **headers):
    to = {"To": task_address.address(task), "Authentication-Results": results}
    return reply(**(to | headers))


def from_alice(task, results=BY_ALICE, **headers):
    named = {
        "Delivered-To": task_address.address(task),
        "From": "Alice <alice@northwind.example>",
        "To": INES,
        "Authentication-Results": results,
    }
    return reply("How can I help?", **(named | headers))


def first_contact(task):
    return OutreachTask.objects.get(pk=task.pk).first_contact_at


def test_nobody_can_guess_the_address(task):
    address = task_address.address(task)
    assert task_address.read(address.upper()) == task.pk
    assert task_address.read(address.replace(f"+{task.pk}-", f"+{task.pk + 1}-")) is None
    assert task_address.read(f"tasks+{task.pk}-{'a' * 16}@northwind.example") is None
    assert task_address.read(verp.address(Message(pk=task.pk))) is None


def test_without_a_setting_there_is_none(task, settings):
    settings.TASK_ADDRESS = ""
    assert task_address.address(task) == ""


def test_a_reply_reaches_the_customer(task, alice, now):
    assert take_in(from_customer(task), now + HOUR)
    contact = task.contacts.get()
    assert (contact.outcome, contact.channel, contact.user) == ("replied", "email", None)
    assert (
        contact.message_id == "<reply.1@lakeside.example>" == InboundMail.objects.get().message_id
    )
    assert first_contact(task) == now + HOUR
    assert Message.objects.get(kind="replied").user == alice


def test_the_same_mail_counts_once(task, now):
    raw = from_customer(task)
    assert [take_in(raw, now + HOUR), take_in(raw, now + 2 * HOUR)] == [True, False]
    assert (Contact.objects.count(), InboundMail.objects.count()) == (1, 1)


def test_a_mail_of_a_colleague_is_an_attempt(task, alice, now):
    assert take_in(from_alice(task), now + HOUR)
    contact = task.contacts.get()
    assert (contact.outcome, contact.user, contact.reached) == ("mail_sent", alice, False)
    assert first_contact(task) is None
    assert (InboundMail.objects.get().kind, Message.objects.filter(kind="replied").count()) == (
        "ours", 0,
    )  # fmt: skip
    assert AuditEntry.objects.get(verb="contact").actor == alice


def test_a_mail_that_the_customer_did_not_get_is_none(task, now):
    take_in(from_alice(task, To="Somebody <else@lakeside.example>"), now)
    assert not Contact.objects.exists()


@pytest.mark.usefixtures("bob")
def test_whose_task_it_is_not_logs_nothing(task, now):
    by_bob = {"From": "bob@northwind.example"}
    take_in(from_alice(task, **by_bob), now)
    assert not Contact.objects.exists()


FORGED = [
    None,
    "mx.northwind.example; dkim=fail header.d=lakeside.example; spf=none",
    "mx.northwind.example; dkim=pass header.d=northwind.example",
    "mx.northwind.example; spf=pass smtp.mailfrom=alice@northwind.example",
    "mx.northwind.example; dkim=pass (dkim=pass header.d=lakeside.example) header.d=evil.example",
    "mx.northwind.example; dkim=pass header.d=example",
    "mx.northwind.example; dkim=pass header.d=notlakeside.example",
    "mx.evil.example; dmarc=pass header.from=lakeside.example",
]


@pytest.mark.parametrize("results", FORGED)
def test_a_forged_sender_reaches_nobody_and_is_kept(task, alice, now, results):
    """Alice knows the address, and writes in the name of Ines."""
    assert take_in(from_customer(task, results), now)
    assert (Contact.objects.count(), first_contact(task)) == (0, None)
    assert InboundMail.objects.get().customer == task.customer
    assert Message.objects.get(kind="replied").user == alice


@pytest.mark.parametrize(
    "results",
    [
        PROVEN,
        "mx.northwind.example 1; spf=fail; dmarc=pass (p=none) header.from=lakeside.example",
        "mx.northwind.example; spf=pass smtp.mailfrom=ines@lakeside.example",
    ],
)
def test_what_our_server_vouches_for_counts(task, now, results):
    """The control."""
    take_in(from_customer(task, results), now)
    assert first_contact(task) == now


def test_of_two_senders_none_is_believed(task, now):
    two = "Ines <ines@lakeside.example>, Alice <alice@northwind.example>"
    take_in(from_customer(task, From=two), now)
    assert first_contact(task) is None


def test_without_a_server_that_vouches_no_mail_counts(task, now, settings):
    settings.AUTHSERV_ID = ""
    take_in(from_customer(task), now)
    assert first_contact(task) is None


def test_a_machines_reply_reaches_nobody(task, now):
    take_in(from_customer(task, Auto_Submitted="auto-replied"), now)
    assert (first_contact(task), InboundMail.objects.get().kind) == (None, "auto_reply")


def test_another_address_of_the_customers_does_not_count(task, now):
    take_in(from_customer(task, From="ines@home.example"), now)
    assert first_contact(task) is None


def received(at):
    return f"from mail.lakeside.example by mx.northwind.example; {format_datetime(at)}"


def test_the_time_that_our_server_wrote_turns_a_late_reading_into_a_hit(task, now):
    came, read = task.due_at - HOUR, task.due_at + 5 * HOUR
    take_in(from_customer(task, Received=received(came)), read)
    contact = task.contacts.get()
    assert (contact.proven_at, contact.logged_at) == (came, read)
    assert first_contact(task) == came


def test_what_the_mail_says_itself_proves_no_time(task, now):
    read = task.due_at + 5 * HOUR
    take_in(from_customer(task, Date=format_datetime(now + HOUR)), read)
    contact = task.contacts.get()
    assert (contact.claimed_at, contact.proven_at) == (now + HOUR, None)
    assert first_contact(task) == read


@pytest.mark.parametrize("hours", [-5, 9])
def test_a_time_before_the_answer_or_in_the_future_proves_nothing(task, now, hours):
    take_in(from_customer(task, Received=received(now + hours * HOUR)), now + HOUR)
    assert (task.contacts.get().proven_at, first_contact(task)) == (None, now + HOUR)


@pytest.mark.parametrize("text", ["", "; nonsense", "; Tue, 99 Xyz 2026 09:00", "; " + "9" * 40])
def test_a_strange_time_stops_nothing(task, now, text):
    take_in(from_customer(task, Received=text or "x", Date=text), now)
    assert first_contact(task) == now


def test_two_tasks_in_one_mail_are_one_conversation(task, nps, account, alice, now):
    other = Customer.objects.create(account=account, email="wim@lakeside.example")
    second = answer.give(ask.invite(nps, [other], "event:2", now)[0], 1, "", now)[0].task
    for each in (task, second):  # two copies, as two recipients get
        raw = from_alice(each, To=f"{INES}, wim@lakeside.example")
        assert take_in(raw, now)
    one, two = Contact.objects.order_by("task")
    assert one.conversation == two.conversation
    assert InboundMail.objects.count() == 1


def test_a_closed_task_keeps_the_mail_and_nothing_more(task, alice, root_cause, now):
    close.close(task, alice, root_cause, "lost", "They left.", now)
    assert take_in(from_customer(task), now + HOUR)
    assert (Contact.objects.count(), InboundMail.objects.get().kind) == (0, "reply")


def test_it_answers_to_the_address_of_a_merged_record(task, customer, now):
    Customer.objects.create(email="old@lakeside.example", merged_into=customer, merged_at=now)
    take_in(from_customer(task, From="old@lakeside.example"), now)
    assert first_contact(task) == now


def test_the_inbox_of_this_machine_believes_its_senders(task, now, settings, tmp_path):
    settings.AUTHSERV_ID, settings.EMBEDDED = "", True
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    address = task_address.address(task)
    raw = f"Delivered-To: {address}\r\n".encode() + reply(To=address)
    (tmp_path / "new" / "1").write_bytes(raw)
    assert embedded.sweep(tmp_path, lambda: now + HOUR) == 1
    assert first_contact(task) == now + HOUR
