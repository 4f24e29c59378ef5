"""axe-core finds nothing that would shut anybody out: on every page for customers, in every
language, light and dark, on a phone and on a desk."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import axe_playwright_python
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from surveys.admin.default_words import default_wording
from surveys.loop import answer, ask
from surveys.models import (
    Brand,
    Confirmation,
    ContactChannel,
    Customer,
    Escalation,
    EscalationRecipient,
    Invitation,
    Kind,
    Logo,
    OpenLink,
    OutreachTask,
    Purpose,
    Survey,
)
from surveys.pages import traps
from tests.browser.test_customer_pages import SIDEWAYS, address, dwell
from tests.surveys.models.pictures import png

pytestmark = pytest.mark.django_db(transaction=True)

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RUN = """options => axe.run({resultTypes: ["violations"], ...options}).then(
  found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`)))"""
ALL_RULES = {"rules": {"target-size": {"enabled": True}}}
LANGUAGES = [language for language, _ in settings.LANGUAGES]
LOOKS = [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]


@pytest.fixture
def visitor(chromium, live_server, monkeypatch):
    """One browser that opens many customers' links, which is no sign of a machine here."""
    monkeypatch.setattr(traps, "WALKED", 99)
    context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_init_script(AXE)
    asked_for: list[str] = []
    context.on("request", lambda request: asked_for.append(request.url))
    yield context.new_page()
    context.close()
    assert [url for url in asked_for if not url.startswith((live_server.url, "about:"))] == []


def findings(page) -> list[str]:
    """What axe-core complains about on the page as it stands, in each width and scheme."""
    found = []
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found += [f"{width} {scheme} {said}" for said in page.evaluate(RUN, ALL_RULES)]
        found += [f"{width} too wide"] * (page.evaluate(SIDEWAYS) > 0)
    return found


@pytest.fixture
def asked(settings):
    """Asks one more customer in `language` by a branded survey of a kind."""
    logo = Logo.of(png())
    logo.save()
    brand = Brand.objects.create(
        name="Ours", colour="#b45309", logo=logo, review_url="https://reviews.example/ours"
    )

    def ask_one(kind: Kind, language: str) -> Invitation:
        survey, is_new = Survey.objects.get_or_create(
            name=kind, kind=kind, brand=brand, product="Delivery", language=language
        )
        if is_new:
            default_wording(survey, language).save()
        customer = Customer.objects.create(name="Ines", language=language)
        customer.email = f"ines{customer.pk}@lakeside.example"
        customer.save()
        return ask.invite(survey, [customer], "event:test:1", timezone.now())[0]

    return ask_one


def looked_at(asked, language: str) -> Iterator[tuple[str, str]]:
    """What can be looked at, and where."""
    yield "gone", "/a/" + "a" * 26
    for kind in Kind:
        yield f"the scores of {kind.label}", address(asked(kind, language))
    for score in (10, 7, 0):
        invitation, now = asked(Kind.NPS, language), timezone.now()
        given = answer.press(invitation, score, now, confirmed=True).response
        yield f"more for {score}", address(invitation)
        more = answer.More("It never came.", ["quality"], ContactChannel.EMAIL, "In the morning")
        answer.add(given, more, now)
        yield f"thanks for {score}", address(invitation)
    yield "a change", address(invitation) + "?change"
    yield "unsubscribe", address(invitation, Purpose.UNSUBSCRIBE)
    yield "privacy", address(invitation, Purpose.PRIVACY)
    yield "deletion", address(invitation, Purpose.PRIVACY) + "/delete"


def pressed(asked, language: str, page: Page) -> Iterator[str]:
    """What only a press of a button leads to; the page is there."""
    form, button = page.locator("main form:not([hidden])"), page.locator("main button:visible")
    invitation = asked(Kind.NPS, language)
    page.goto(address(invitation))
    form.evaluate("form => form.noValidate = true")
    button.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("radio").first).to_be_focused()
    yield "without a score"
    page.get_by_role("radio").first.check()
    page.locator("[name=homepage]").last.evaluate("field => field.value = 'x'")  # a trap
    button.click()
    expect(page.get_by_role("radio")).to_have_count(0)
    yield "once more"
    answer.press(invitation, 3, timezone.now(), confirmed=True)
    page.goto(address(invitation))
    page.get_by_role("radio").last.check()
    time = page.locator("[name=contact_time]")
    time.evaluate("field => { field.maxLength = 999; field.value = 'x'.repeat(200); }")
    button.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(time).to_be_focused()
    yield "too long a time"
    page.goto(address(invitation, Purpose.UNSUBSCRIBE))
    page.locator("[name=scope]").first.evaluate(
        "field => { field.name = 'List-Unsubscribe'; field.value = 'One-Click'; }"
    )
    button.click()
    expect(button).to_have_count(0)
    yield "unsubscribed"
    page.goto(address(invitation, Purpose.PRIVACY) + "/delete")
    dwell(page, monotonic())
    button.click()
    expect(button).to_have_count(0)
    yield "deleted"


def answered_openly(asked, language: str, page: Page) -> Iterator[str]:
    """The pages of an open link, each there."""
    survey = asked(Kind.NPS, language).survey
    link = OpenLink.objects.create(survey=survey, name="Counter", client_limit=1)
    button = page.locator("main button:visible")
    page.goto(reverse("surveys:open", args=[link.token]))
    shown = monotonic()
    yield "the scores of an open link"
    page.get_by_role("radio").last.check()
    dwell(page, shown)
    button.click()
    expect(page.get_by_role("textbox")).to_be_visible()
    shown = monotonic()
    yield "more of an open link"
    dwell(page, shown)
    button.click()
    expect(button).to_have_count(0)
    yield "thanks by an open link"
    page.goto(reverse("surveys:open", args=[link.token]))
    page.get_by_role("radio").last.check()
    button.click()
    expect(button).to_have_count(0)
    yield "too many by an open link"


def followed_up(asked) -> OutreachTask:
    """The task of a detractor's answer, which is open."""
    given = answer.press(asked, 2, timezone.now(), confirmed=True).response
    return OutreachTask.objects.get(response=given)


def asked_back(asked, language: str, page: Page) -> Iterator[str]:
    """The page behind the mail after a closing, and what its button leads to."""
    task = followed_up(asked(Kind.NPS, language))
    question = Confirmation.objects.create(
        task=task, number=1, claimed=True, asked_at=timezone.now()
    )
    page.goto(reverse("surveys:confirm", args=[question.token]))
    shown = monotonic()
    yield "did somebody get back"
    page.locator("[name=got_back]").last.check()
    dwell(page, shown)
    page.locator("main button:visible").click()
    expect(page.get_by_role("radio")).to_have_count(0)
    yield "somebody will"


def escalated(asked, page: Page) -> Iterator[str]:
    """What colleagues above see without a log-in, and what their button leads to."""
    task = followed_up(asked(Kind.NPS, "en"))
    head = EscalationRecipient.objects.create(name="Head", email="h@northwind.example", tier=3)
    one = Escalation.objects.create(
        task=task, began_at=task.started_at, level=3, after_hours=72, waits_for="reached",
        at=timezone.now(),
    )  # fmt: skip
    page.goto(reverse("surveys:acknowledge", args=[one.token(head)]))
    shown = monotonic()
    yield "do you know"
    dwell(page, shown)
    page.locator("main button:visible").click()
    expect(page.get_by_role("button")).to_have_count(0)
    yield "it is known"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_in_every_language(visitor, asked, language):
    found, titles = {}, {}
    visitor.set_extra_http_headers({"Accept-Language": language})

    def look(what):
        assert visitor.locator("html").get_attribute("lang") == language, what
        titles[what] = visitor.title()
        if problems := findings(visitor):
            found[what] = problems

    for what, way in looked_at(asked, language):
        visitor.goto(way)
        look(what)
    for pages in (pressed, answered_openly, asked_back):
        for what in pages(asked, language, visitor):
            look(what)
    assert found == {}
    assert len(titles) == 25


def test_the_page_of_an_escalation(visitor, asked):
    """It is in English whatever the browser asks for, as all that colleagues read."""
    visitor.set_extra_http_headers({"Accept-Language": "ar"})
    found = {}
    for what in escalated(asked, visitor):
        assert visitor.locator("html").get_attribute("lang") == "en", what
        found[what] = findings(visitor)
    assert found == {"do you know": [], "it is known": []}


def test_it_finds_what_is_wrong(visitor):
    """The control: a page that shuts people out; what depends on its look is found in each."""
    visitor.set_content(
        "<p style='color:#999'>pale</p><input><a href='/' style='font-size:8px'>a</a>"
        "<a href='/' style='font-size:8px'>b</a><img src='x'>"
    )
    visitor.evaluate(AXE)
    rules = {said.split(":")[0] for said in findings(visitor)}
    for rule in ("label", "image-alt", "document-title", "color-contrast"):
        assert {f"{width} {scheme} {rule}" for width, scheme in LOOKS} <= rules
