import re
from email import message_from_bytes, policy

import pytest

from surveys.delivery import emails
from surveys.loop import answer, ask
from surveys.models import Customer, Message, Wording


@pytest.fixture
def asked(nps, customer, now):
    return ask.invite(nps, [customer], "test:1", now)[0]


def read_back(mail):
    return message_from_bytes(mail.as_bytes(), policy=policy.default)


def test_the_invitation_has_a_link_for_every_score_in_text_and_html(asked):
    mail = read_back(emails.invitation(asked))
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    links = [f"http://testserver/a/{asked.token()}?score={score}" for score in range(11)]
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "?score=" in line] == links
    assert [link for link in links if f'"{link}"' in html] == links
    assert "%%" not in html + text


def test_its_headers(asked):
    mail = read_back(emails.invitation(asked))
    link = f"http://testserver/u/{asked.token('unsubscribe')}"
    assert {name: mail[name] for name in mail if name not in {"Content-Type", "MIME-Version"}} == {
        "Subject": "How are we doing, Ines Okafor?",
        "From": "Northwind Parcels <surveys@northwind.example>",
        "To": "Ines Okafor <ines@lakeside.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
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
    mail = read_back(emails.invitation(asked))
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
        assert emails.invitation(asked)["Subject"].startswith(subject)


def test_somebody_without_a_name_is_greeted_all_the_same(asked, customer):
    customer.name = ""
    asked.customer = customer
    assert emails.invitation(asked)["Subject"] == "How are we doing,?"


def test_the_owner_learns_who_said_what_and_until_when_to_call(asked, alice, now, settings):
    alice.time_zone = "Europe/Berlin"
    alice.save()
    response, _ = answer.give(asked, 2, "It never came.\n\nTwice.", now)
    message = Message.objects.select_related("task__customer", "user").get(kind="task_opened")
    message.message_id = "<x@y>"
    letter = emails.render(message)
    mail = message_from_bytes(letter.content, policy=policy.default)
    assert (letter.sender, letter.recipient) == (settings.CONTACT_EMAIL, alice.email)
    text = mail.get_content()
    assert mail["To"] == "Alice <alice@northwind.example>"
    assert mail["Subject"] == "Lakeside Mills: score 2, call by March 13, 2026, 10 a.m."
    assert "It never came." in text
    assert f"http://testserver/admin/surveys/outreachtask/{response.task.pk}/change/" in text
    assert "March 13, 2026, 10 a.m. (Europe/Berlin)" in text


@pytest.mark.parametrize("score", [0, 10])
def test_an_invitation_stays_small(asked, score):
    assert len(emails.invitation(asked).as_bytes()) < 50_000


def test_an_invitation_fetches_nothing_and_tells_nobody(asked):
    html = read_back(emails.invitation(asked)).get_body(("html",)).get_content()
    foreign = re.findall(r"""(?:src=|url\(|@import|<link[^>]*href=)["'( ]*([^"') ]+)""", html)
    assert foreign == []
    hosts = set(re.findall(r"https?://([^/\"'\s>]+)", html))
    assert hosts - {"www.w3.org"} == {"testserver"}  # w3.org is the name of XHTML, not a request
