import re
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from surveys.delivery import claim, emails
from surveys.loop import answer, ask
from surveys.loop.suppress import suppress
from surveys.models import Customer, MailLane, Message, Reminder, Wording


@pytest.fixture
def asked(nps, customer, now):
    return ask.invite(nps, [customer], "test:1", now)[0]


@pytest.fixture
def german(nps):
    return Wording.objects.create(
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


def letter_of(message: Message):
    message.message_id = "<voc.1@northwind.example>"
    return emails.render(message)


def read_back(content: bytes):
    return message_from_bytes(content, policy=policy.default)


def invitation(asked):
    """The mail that invites, as a mail program reads it."""
    return read_back(letter_of(Message(pk=1, kind="invitation", invitation=asked)).content)


def text_of(mail) -> str:
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def test_the_invitation_has_a_link_for_every_score_in_text_and_html(asked):
    mail = invitation(asked)
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    links = [f"http://testserver/a/{asked.token()}?score={score}" for score in range(11)]
    assert [line.rpartition(" ")[2] for line in text.splitlines() if "?score=" in line] == links
    assert [link for link in links if f'"{link}"' in html] == links
    assert "%%" not in html + text


@pytest.mark.parametrize("kind", ["invitation", "heads_up"])
def test_it_leads_to_what_we_keep_of_the_customer(asked, kind):
    mail = read_back(letter_of(Message(pk=1, kind=kind, invitation=asked)).content)
    link = f"http://testserver/p/{asked.token('privacy')}"
    assert [text_of(mail).count(link), mail.get_body(("html",)).get_content().count(link)] == [1, 1]


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
        pytest.param("E" * 9_999, id="long"),
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


def test_the_customers_language_is_used_where_there_are_words(nps, customer, german, now):
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


def test_words_that_were_edited_are_in_the_next_mail(nps, asked):
    assert "recommend Northwind Parcels" in text_of(invitation(asked))
    nps.wordings.update(question="Would you come back to {company}?")
    again = type(asked).objects.get(pk=asked.pk)
    text = text_of(invitation(again))
    assert "Would you come back to Northwind Parcels?" in text
    assert "recommend" not in text


def test_what_an_author_types_is_only_text(nps, asked, customer):
    nps.wordings.update(intro="{% include 'x' %} {name.__class__} %%name%% <b>\nSecond line")
    customer.name = "{product}"
    asked.customer = customer
    mail = invitation(asked)
    assert "{% include 'x' %} {name.__class__} %%name%% <b>\nSecond line" in text_of(mail)
    html = mail.get_body(("html",)).get_content()
    assert "{name.__class__} %%name%% &lt;b&gt;<br>Second line" in html
    assert mail["Subject"] == "How are we doing, {product}?"


def test_a_reminder_opens_with_its_own_words_where_it_has_some(nps, asked, german):
    reminder = Reminder.objects.create(survey=nps, number=1)
    reminder.texts.create(language="de", subject="Noch einmal, {name}?", intro="Kurz erinnert.")
    message = Message(pk=9, kind="reminder", invitation=asked, reminder=reminder)
    assert read_back(letter_of(message).content)["Subject"] == "How are we doing, Ines Okafor?"
    asked.language = "de"
    mail = read_back(letter_of(message).content)
    assert mail["Subject"] == "Noch einmal, Ines Okafor?"
    assert mail["Feedback-ID"] == f"{nps.pk}:0:reminder:voc"
    assert "Kurz erinnert.\n\nWie wahrscheinlich ist es" in text_of(mail)


@pytest.mark.parametrize(
    ("language", "opening"),
    [
        ("en", "A short reminder, as we have not heard from you yet."),
        ("de", "Eine kurze Erinnerung, da wir noch nichts von Ihnen gehört haben."),
    ],
)
def test_a_reminder_without_words_of_its_own_says_that_it_is_one(asked, german, language, opening):
    """Also one that was sent by hand, or whose words were deleted meanwhile."""
    asked.language = language
    mail = read_back(letter_of(Message(pk=9, kind="reminder", invitation=asked)).content)
    assert f",\n\n{opening}\n\n" in text_of(mail)
    assert opening in mail.get_body(("html",)).get_content()
    assert opening not in text_of(invitation(asked))
    if language == "en":
        assert mail["Subject"] == "How are we doing, Ines Okafor?"


def test_an_announcement_comes_from_the_accounts_owner(asked, alice):
    mail = read_back(letter_of(Message(pk=9, kind="heads_up", invitation=asked)).content)
    assert mail["From"] == '"Alice, Northwind Parcels" <surveys@northwind.example>'
    assert mail["Reply-To"] == "Alice <alice@northwind.example>"
    assert mail["Subject"] == "A short survey from Northwind Parcels is on its way"
    assert mail["List-Unsubscribe"] == f"<http://testserver/u/{asked.token('unsubscribe')}>"
    text = text_of(mail)
    assert text.startswith("Hello Ines Okafor,\n\nIn the coming days you will receive")
    assert f"/a/{asked.token()}" not in text


def test_an_announcement_without_an_owner_comes_from_the_company(asked, alice):
    alice.is_active = False
    alice.save()
    mail = read_back(letter_of(Message(pk=9, kind="heads_up", invitation=asked)).content)
    assert mail["From"] == "Northwind Parcels <surveys@northwind.example>"
    assert mail["Reply-To"] is None


def test_a_test_goes_to_a_colleague_and_leads_to_a_preview(nps, german, alice):
    message = Message(pk=9, kind="test", survey=nps, user=alice, language="de")
    letter = letter_of(message)
    mail = read_back(letter.content)
    assert letter.recipient == "alice@northwind.example"
    assert mail["Subject"] == "Test: Wie war es, Alice?"
    assert mail["List-Unsubscribe"] is None
    links = set(re.findall(r"http\S+", text_of(mail)))
    preview = f"http://testserver/admin/surveys/survey/{nps.pk}/preview/de/"
    assert links == {preview, *(f"{preview}?score={score}" for score in range(11))}


def test_the_owner_learns_that_a_key_contact_cannot_be_reached(asked, alice, now):
    sent = Message.objects.get(invitation=asked)
    sent.events.create(source="smtp", event_id="1", kind="hard_bounce", detail="550 Gone", at=now)
    message = Message(pk=9, kind="contact_bounced", invitation=asked, user=alice, created_at=now)
    mail = read_back(letter_of(message).content)
    assert mail["To"] == "Alice <alice@northwind.example>"
    assert mail["Subject"] == "Ines Okafor (Lakeside Mills) cannot be reached by mail"
    text = mail.get_content()
    assert "came back on March 10, 2026, 9 a.m. (UTC)" in text
    assert "The mail server said: 550 Gone" in text
    assert "The mailbox may be full or their mail server out of order" in text
    assert f"http://testserver/admin/surveys/customer/{asked.customer_id}/change/" in text


def test_the_owner_learns_that_an_address_is_not_written_to_any_more(asked, alice, now):
    suppress(asked.customer.email, "bounced", now)
    message = Message(pk=9, kind="contact_bounced", invitation=asked, user=alice, created_at=now)
    text = read_back(letter_of(message).content).get_content()
    assert "ines@lakeside.example may have changed, or the person may have left." in text


def test_the_owner_learns_that_a_key_contact_does_not_answer(asked, alice, now):
    Message.objects.filter(invitation=asked).update(state="sent", sent_at=now)
    message = Message(pk=9, kind="contact_silent", invitation=asked, user=alice)
    mail = read_back(letter_of(message).content)
    assert mail["Subject"] == "Ines Okafor (Lakeside Mills) has not answered"
    said = "was asked “Relationship” on March 10, 2026, 9 a.m. (UTC) and has not answered."
    assert said in mail.get_content()


def test_an_alarm_says_what_is_wrong_with_a_survey_and_what_to_do(nps, manager):
    message = Message(pk=9, kind="alarm", survey=nps, user=manager)
    nps.paused_reason = "31 of the last 500 mails bounced."
    mail = read_back(letter_of(message).content)
    assert mail["Subject"] == "“Relationship” was paused"
    assert "31 of the last 500 mails bounced." in mail.get_content()
    assert f"http://testserver/admin/surveys/survey/{nps.pk}/change/" in mail.get_content()
    nps.paused_reason = ""
    assert read_back(letter_of(message).content)["Subject"] == "“Relationship” runs again"


def test_an_alarm_says_what_is_wrong_with_the_mail_server(administrator, now):
    message = Message(pk=9, kind="alarm", user=administrator, created_at=now)
    lane = MailLane.objects.create(name="smtp", reason="535 Wrong password", since=now)
    text = read_back(letter_of(message).content).get_content()
    assert "The mail server is at fault" in text
    assert "535 Wrong password" in text
    lane.delete()
    assert "works again" in read_back(letter_of(message).content).get_content()


@pytest.mark.parametrize("kind", sorted(set(Message.Kind.values)))
def test_a_message_about_nothing_fails_with_a_sentence(db, kind):
    with pytest.raises(ValueError, match="What this message is about is gone"):
        letter_of(Message(pk=9, kind=kind))


@pytest.mark.parametrize("language", ["en", "ar"])
def test_text_runs_in_the_direction_of_its_language(nps, asked, german, language):
    german.language = "ar"
    german.save()
    asked.language = language
    html = invitation(asked).get_body(("html",)).get_content()
    wanted, other = ("rtl", "ltr") if language == "ar" else ("ltr", "rtl")
    assert f'<html lang="{language}" dir="{wanted}"' in html
    assert f'dir="{other}"' not in html


@pytest.mark.parametrize("rows", [1, 3])
def test_a_letter_of_claimed_mail_takes_no_query(
    nps, account, now, rows, django_assert_num_queries
):
    people = [Customer.objects.create(account=account, email=f"{n}@x.example") for n in range(rows)]
    ask.invite(nps, people, "test:2", now)
    claimed = claim.claim(now + timedelta(days=1), 10)
    with django_assert_num_queries(0):
        recipients = [letter_of(message).recipient for message in claimed]
    assert sorted(recipients) == [person.email for person in people]
