import pytest

from surveys.delivery import claim, emails
from surveys.loop import ask
from surveys.loop.reply import reply
from surveys.models import InboundMail, Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(nps, customer, now):
    return ask.invite(nps, [customer], "test:1", now)[0]


@pytest.fixture
def mail(asked, customer, now):
    return InboundMail(
        message_id="<1@lakeside.example>", kind="reply", customer=customer, invitation=asked,
        sender="ines@lakeside.example", subject="Re: x", text="Nobody called me back.",
        received_at=now,
    )  # fmt: skip


def notices():
    return Message.objects.filter(kind="replied")


def written(message) -> str:
    message.message_id = claim.message_id(message)
    return emails.render(message).content.decode()


def test_the_owner_reads_what_the_customer_wrote(mail, alice):
    assert reply(mail)
    notice = notices().get()
    assert notice.user == alice
    said = written(notice)
    assert "Subject: Ines Okafor (Lakeside Mills) has replied" in said
    assert "from ines@lakeside.example" in said
    assert "Nobody called me back." in said


def test_the_same_mail_is_told_once(mail, customer, asked, now):
    again = InboundMail(message_id=mail.message_id, kind="reply", customer=customer,
                        invitation=asked, received_at=now)  # fmt: skip
    assert [reply(mail), reply(again)] == [True, False]
    assert notices().count() == 1


@pytest.mark.parametrize("change", ["automatic", "no owner", "owner left", "never asked"])
def test_nobody_is_told_where_nobody_would_act(mail, alice, change):
    mail.kind = "auto_reply" if change == "automatic" else "reply"
    alice.is_active = change != "owner left"
    alice.save()
    mail.customer.account.owner = None if change == "no owner" else alice
    mail.invitation = None if change == "never asked" else mail.invitation
    assert reply(mail)
    assert not notices().exists()


def test_a_mail_from_nobody_we_know_is_kept_as_other(mail):
    mail.customer = None
    assert reply(mail)
    assert (InboundMail.objects.get().kind, notices().count()) == ("other", 0)
