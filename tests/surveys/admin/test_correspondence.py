from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.models import Customer, InboundMail, Suppression, Tick
from tests.surveys.admin.conftest import page_of

MAILS = reverse("admin:surveys_inboundmail_changelist")


@pytest.fixture
def mail(now):
    """Makes a mail that came in; each has an id of its own."""

    def came_in(customer=None, text="Nobody called me back.", **values):
        values = {"kind": "reply", "sender": "ines@lakeside.example", "subject": "Re: x", **values}
        number = InboundMail.objects.count()
        return InboundMail.objects.create(
            message_id=f"<{number}@x.y>", customer=customer, text=text, received_at=now, **values
        )

    return came_in


def page(customer):
    return reverse("admin:surveys_customer_change", args=[customer.pk])


def test_a_reply_is_shown_on_the_customers_page_and_on_their_task(signed_in, task, alice, mail):
    mail(task.customer, "Nobody called me back.\nNot once.")
    client = signed_in(alice)
    for address in (page(task.customer), page_of(task)):
        said = client.get(address).text
        assert "<bdi>Re: x</bdi>" in said
        assert "Nobody called me back.\nNot once." in said
        assert "from <bdi>ines@lakeside.example</bdi>" in said


def test_what_they_write_is_text_whatever_is_in_it(signed_in, task, alice, mail):
    hostile = "<script>alert(1)</script>\u202e{{ 7 }}"
    mail(task.customer, hostile, subject=hostile, sender="<b>@x.y")
    client = signed_in(alice)
    listed = client.get(MAILS).text
    shown = [listed, client.get(page(task.customer)).text, client.get(page_of(task)).text]
    for said in shown:
        assert "<script>alert(1)" not in said
        assert "&lt;script&gt;alert(1)&lt;/script&gt;[U+202E]{{ 7 }}</bdi>" in said


def test_an_automatic_reply_is_marked_and_a_bounce_is_no_reply(signed_in, task, alice, mail):
    mail(task.customer, "I am away.", kind="auto_reply")
    mail(task.customer, "5.1.1", kind="bounce")
    said = signed_in(alice).get(page_of(task)).text
    assert "I am away." in said
    assert "Automatic reply" in said
    assert "5.1.1" not in said


def test_a_task_without_replies_says_nothing_of_them(signed_in, task, alice):
    assert "What they wrote back" not in signed_in(alice).get(page_of(task)).text


def test_each_sees_the_mails_of_their_own_customers(
    signed_in, alice, bob, manager, account, bobs_account, mail
):
    for owner, owned in (("a", account), ("b", bobs_account)):
        customer = Customer.objects.create(account=owned, name=f"Customer of {owner}")
        mail(customer, subject=f"of {owner}")
    mail(None, kind="other", subject="of nobody")

    def subjects(user):
        rows = signed_in(user).get(MAILS).context["cl"].result_list
        return {row.subject for row in rows}

    assert [subjects(user) for user in (alice, bob, manager)] == [
        {"of a"}, {"of b"}, {"of a", "of b", "of nobody"},
    ]  # fmt: skip


def test_a_foreign_mail_is_not_there(signed_in, bob, customer, mail):
    address = reverse("admin:surveys_inboundmail_change", args=[mail(customer).pk])
    assert signed_in(bob).get(address).status_code == 404


def test_the_product_team_reads_no_mails(signed_in, product, customer, mail):
    mail(customer)
    assert signed_in(product).get(MAILS).status_code == 403


def test_a_mail_can_be_read_whole_and_not_changed(signed_in, alice, customer, mail):
    address = reverse("admin:surveys_inboundmail_change", args=[mail(customer, "One.\nTwo.").pk])
    client = signed_in(alice)
    assert '<bdi class="voc-whole">One.\nTwo.</bdi>' in client.get(address).text
    assert client.post(address, {"text": "Three."}).status_code == 403


def test_an_empty_list_says_what_would_fill_it(signed_in, manager):
    assert "Nothing has come in yet." in signed_in(manager).get(MAILS).text


@pytest.mark.parametrize(
    ("url", "minutes", "said"),
    [
        ("imap://a:b@c", 11, "The mailbox has not been read since"),
        ("imap://a:b@c", None, "The mailbox has never been read"),
        ("imap://a:b@c", 9, None),
        ("", None, None),
    ],
)
def test_a_mailbox_that_nobody_reads_is_an_alarm(
    signed_in, manager, settings, now, url, minutes, said
):
    settings.INBOUND_URL = url
    if minutes:
        Tick.objects.create(name="read mailbox", at=now - timedelta(minutes=minutes))
    shown = signed_in(manager).get(MAILS).text
    assert (said or "Nothing has come in yet.") in shown
    assert ("voc-alert" in shown) == bool(said)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("bounced", "Find out the right address and enter it above"),
        ("unsubscribed", "<b>Unsubscribed</b>"),
        ("complained", "<b>Spam complaint</b>"),
    ],
)
def test_a_customers_page_says_why_they_get_no_mails(
    signed_in, manager, customer, now, reason, said
):
    Suppression.add(customer.email, reason, now)
    shown = signed_in(manager).get(page(customer)).text
    assert "Not written to" in shown
    assert said in shown


def test_a_customer_who_can_be_written_to_has_no_such_note(signed_in, manager, customer, now):
    Suppression.add("somebody@else.example", "bounced", now)
    assert "Not written to" not in signed_in(manager).get(page(customer)).text


def test_the_last_mail_that_came_back_is_mentioned(signed_in, manager, customer):
    customer.soft_bounces = 1
    customer.save()
    assert "The last mail came back" in signed_in(manager).get(page(customer)).text


def test_a_customer_without_an_address_is_no_trouble(signed_in, manager, account):
    nobody = Customer.objects.create(account=account, name="No address")
    assert signed_in(manager).get(page(nobody)).status_code == 200


def test_the_stopped_addresses_are_counted_by_reason(signed_in, manager, nps, now):
    for number in range(3):
        Suppression.add(f"{number}@x.example", "bounced", now)
    Suppression.add("4@x.example", "unsubscribed", now, nps.family)
    shown = signed_in(manager).get(reverse("admin:surveys_suppression_changelist"))
    assert shown.context["reasons"] == [
        ("unsubscribed", "Unsubscribed", 1), ("bounced", "Mails came back", 3),
        ("complained", "Spam complaint", 0), ("forgotten", "Forgotten", 0),
    ]  # fmt: skip
    assert "x.example" not in shown.text


def test_many_mails_take_as_many_queries_as_one(signed_in, manager, account, mail):
    client = signed_in(manager)

    def queries():
        customer = Customer.objects.create(account=account, name=str(InboundMail.objects.count()))
        mail(customer)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(MAILS).status_code == 200
        return len(asked)

    queries()
    one = queries()
    queries()
    assert queries() == one
