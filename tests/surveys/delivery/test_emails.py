import re
from email import message_from_bytes, policy

import pytest

from surveys.delivery import emails
from surveys.loop import answer, ask
from surveys.models import Customer, Message, Wording


@pytest.fixture
def asked(nps, customer, now):
    return ask.invite(nps, [customer], "test:1", now)[0]


def letter_of(message: Message):
    message.message_id = "<voc.1@northwind.example>"
    return emails.render(message)


def read_back(content: bytes):
    return message_from_bytes(content, policy=policy.default)


def invitation(asked):
    """The mail that invites, as a mail program reads it."""
    return read_back(letter_of(Message(pk=1, kind="invitation", invitation=asked)).content)


def test_the_invitation_has_a_link_for_every_score_in_text_and_html(asked):
    mail = invitation(asked)
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    links = [f"http://testserver/a/{asked.token()}?score={score}" for score in range(11)]
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "?score=" in line] == links
    assert [link for link in links if f'"{link}"' in html] == links
    assert "%%" not in html + text


def test_its_headers(asked):
    mail = invitation(asked)
    link = f"http://testserver/u/{asked.token('unsubscribe')}"
    assert mail["Date"].datetime.utcoffset().total_seconds() == 0
    del mail["Date"], mail["Content-Type"]
    assert dict(mail) == {
        "Subject": "How are we doing, Ines Okafor?",
        "From": "Northwind Parcels <surveys@northwind.example>",
        "To": "Ines Okafor <ines@lakeside.example>",
        "Message-ID": "<voc.1@northwind.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": f"{asked.survey_id}:0:invitation:voc",
        "MIME-Version": "1.0",
    }


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: all@lakeside.example",
        "Eve\u2028X: y",
        'Smith, "Jo" <x@y>',
        "\ud800Eve",
        "E" * 9_999,
        "<script>alert(1)</script>",
        "{{7*7}} {company.__class__} %%score_1%%",
    ],
)
def test_whatever_a_customer_is_called_the_mail_stays_one_mail(asked, customer, name):
    customer.name = name
    asked.customer = customer
    mail = invitation(asked)
    assert mail["Bcc"] is None
    assert mail["To"].addresses[0].addr_spec == "ines@lakeside.example"
    html = mail.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "49" not in mail["Subject"]


def test_the_customers_language_is_used_where_there_are_words(nps, customer, now):
    Wording.objects.create(
        survey=nps,
        language="de",
        subject="Wie war es, {name}?",
        greeting="Guten Tag {name},",
        question="Wie wahrscheinlich ist es, dass Sie {company} empfehlen?",
        low_label="Unwahrscheinlich",
        high_label="Sehr wahrscheinlich",
        comment_label="Warum?",
        thanks="Danke.",
    )
    for language, subject in [("de", "Wie war es"), ("de-at", "Wie war es"), ("pl", "How are we")]:
        Customer.objects.filter(pk=customer.pk).update(language=language)
        customer.refresh_from_db()
        asked = ask.invite(nps, [customer], f"test:{language}", now)[0]
        assert invitation(asked)["Subject"].startswith(subject)


def test_somebody_without_a_name_is_greeted_all_the_same(asked, customer):
    customer.name = ""
    asked.customer = customer
    assert invitation(asked)["Subject"] == "How are we doing,?"


def test_the_owner_learns_who_said_what_and_until_when_to_call(asked, alice, now, settings):
    alice.time_zone = "Europe/Berlin"
    alice.save()
    response, _ = answer.give(asked, 2, "It never came.\n\nTwice.", now)
    message = Message.objects.select_related("task__customer", "user").get(kind="task_opened")
    letter = letter_of(message)
    mail = read_back(letter.content)
    assert (letter.sender, letter.recipient) == (settings.CONTACT_EMAIL, alice.email)
    text = mail.get_content()
    assert mail["To"] == "Alice <alice@northwind.example>"
    assert mail["Subject"] == "Lakeside Mills: score 2, call by March 13, 2026, 10 a.m."
    assert "It never came." in text
    assert f"http://testserver/admin/surveys/outreachtask/{response.task.pk}/change/" in text
    assert "March 13, 2026, 10 a.m. (Europe/Berlin)" in text


def test_an_invitation_stays_small(asked):
    letter = letter_of(Message(pk=1, kind="invitation", invitation=asked))
    assert len(letter.content) < 50_000


def test_an_invitation_fetches_nothing_and_tells_nobody(asked):
    html = invitation(asked).get_body(("html",)).get_content()
    foreign = re.findall(r"""(?:src=|url\(|@import|<link[^>]*href=)["'( ]*([^"') ]+)""", html)
    assert foreign == []
    hosts = set(re.findall(r"https?://([^/\"'\s>]+)", html))
    assert hosts - {"www.w3.org"} == {"testserver"}  # w3.org is the name of XHTML, not a request
