"""The pages that customers see, in a real Chromium: on a phone and on a desk, light and dark, with
and without JavaScript, by keyboard alone. Each page fits, and the console is clean."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from surveys.loop import answer, ask
from surveys.models import (
    Brand,
    Customer,
    Invitation,
    Kind,
    Purpose,
    Response,
    Suppression,
)
from surveys.pages import nonces
from tests.conftest import survey_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]

# What can be pressed and is smaller than 24 by 24 pixels (WCAG 2.2, 2.5.8); links in a text may be.
TOO_SMALL = """() => [...document.querySelectorAll(
    "button, label:has(input), textarea, select, input[type=text]")].filter(
    one => one.checkVisibility())
  .map(one => [one.getBoundingClientRect(), one.textContent.trim()])
  .filter(([box]) => box.width < 24 || box.height < 24).map(([, text]) => text)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


LEAST_LOOK = 1_100  # milliseconds before a press counts as a person's


def dwell(page: Page, since: float) -> None:
    """Look at a page, there `since` then, as long as a person does at least."""
    page.wait_for_timeout(max(0, LEAST_LOOK - 1000 * (monotonic() - since)))


@dataclass
class Visitor:
    page: Page
    complaints: list[str]
    arrived: float = 0.0

    def visit(self, way: str) -> None:
        self.page.goto(way)
        self.arrived = monotonic()

    def dwell(self) -> None:
        dwell(self.page, self.arrived)

    def looks(self) -> None:
        """What must hold of every page, whoever looks at it; test_axe.py looks closer."""
        assert self.page.evaluate(SIDEWAYS) <= 0
        assert self.page.evaluate(TOO_SMALL) == []
        assert self.page.locator("h1").count() == 1
        assert self.page.title()
        assert self.page.locator("html").get_attribute("lang")

    def tab_to(self, target) -> None:
        """Press Tab until `target` has the focus, which must then be seen."""
        for _ in range(30):
            self.page.keyboard.press("Tab")
            if target.evaluate("one => one === document.activeElement"):
                break
        expect(target).to_be_focused()

    def press(self, key: str = "Enter") -> None:
        """Press a key that leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.arrived = monotonic()


LOOKS = {"phone": (320, "dark"), "desk": (1280, "light")}


@pytest.fixture(params=LOOKS)
def look(request) -> tuple[int, str]:
    return LOOKS[request.param]


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def visitor(chromium, live_server, look, request):
    width, scheme = look
    context = chromium.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        java_script_enabled=request.param,
        reduced_motion="reduce",
    )
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield Visitor(page, complaints)
    context.close()
    assert complaints == []


def asked(survey, customer, **fields) -> Invitation:
    now = timezone.now()
    [invitation] = ask.invite(survey, [customer], "event:test:1", now)
    Invitation.objects.filter(pk=invitation.pk).update(**fields)
    invitation.refresh_from_db()
    return invitation


def address(invitation: Invitation, purpose: str = Purpose.ANSWER) -> str:
    return reverse(f"surveys:{purpose.value}", args=[invitation.token(purpose)])


def test_a_customer_answers_and_corrects_by_keyboard_alone(visitor, nps, customer):
    nps.wordings.update(detractor_question="What went wrong?", reasons="speed: Speed\nprice: Price")
    page = visitor.page
    visitor.visit(address(asked(nps, customer)))
    visitor.looks()
    visitor.tab_to(page.get_by_role("radio", name="0 – Not at all likely"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="3", exact=True)).to_be_checked()
    visitor.tab_to(page.get_by_role("button", name="Send my answer"))
    visitor.dwell()
    visitor.press()

    expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    visitor.looks()
    said = Response.objects.get()
    assert (said.score, said.verdict, said.finished_at) == (3, "person", None)

    visitor.tab_to(page.get_by_label("What went wrong?"))
    page.keyboard.type("The parcel came a week late.")
    visitor.tab_to(page.get_by_role("checkbox", name="Speed"))
    page.keyboard.press("Space")
    visitor.tab_to(page.get_by_role("radio", name="No, thank you"))
    page.keyboard.press("ArrowDown")
    visitor.tab_to(page.get_by_label("If so, when does it suit you?"))
    page.keyboard.type("In the morning")
    visitor.dwell()
    visitor.press("Enter")  # in a text field, which sends the form as everywhere

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    visitor.looks()
    said.refresh_from_db()
    assert (said.comment, said.verdict) == ("The parcel came a week late.", "person")
    assert (said.wants_contact, said.contact_time) == (True, "In the morning")
    assert [reason.key for reason in said.reasons.all()] == ["speed"]

    visitor.tab_to(page.get_by_role("link", name="Change my answer"))
    visitor.press()
    visitor.looks()
    visitor.tab_to(page.get_by_role("radio", name="3", exact=True))
    page.keyboard.press("ArrowRight")
    visitor.dwell()
    visitor.press("Enter")  # in the group of scores
    expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    said.refresh_from_db()
    assert (said.score, said.verdict) == (4, "person")


def test_whoever_is_quick_presses_once_more_and_is_counted(visitor, nps, customer, monkeypatch):
    # However slow this machine is at the moment, the first press is quick.
    monkeypatch.setitem(nonces.LEAST, nonces.FORM, timedelta(minutes=5))
    page = visitor.page
    visitor.visit(address(asked(nps, customer)))
    page.get_by_role("radio", name="9", exact=True).check()
    page.locator("main form:not([hidden]) button").click()
    expect(page.get_by_role("heading", name="Please press once more")).to_be_visible()
    visitor.looks()
    assert Response.objects.get().verdict == "machine"
    page.wait_for_timeout(2_100)
    page.get_by_role("button", name="Press once more to send").click()
    expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    said = Response.objects.get()
    assert (said.score, said.verdict) == (9, "person")


def test_the_review_site_is_offered_after_every_score_alike(visitor, nps, customer, account):
    nps.brand = Brand.objects.create(name="Ours", review_url="https://reviews.example/ours")
    nps.save()
    offered = []
    for score in (0, 7, 10):
        fresh = Customer.objects.create(account=account, email=f"c{score}@lakeside.example")
        invitation = asked(nps, fresh)
        answer.give(invitation, score, "", timezone.now())
        visitor.visit(address(invitation))
        offered.append(visitor.page.locator("main a[href^=https]").evaluate("a => a.outerHTML"))
    assert len(set(offered)) == 1
    assert 'href="https://reviews.example/ours"' in offered[0]


def test_a_page_fits_when_its_text_is_twice_as_large(visitor, nps, customer):
    nps.wordings.update(reasons="speed: Speed of the delivery and of all that belongs to it")
    invitation = asked(nps, customer)
    for way in (address(invitation), address(invitation, Purpose.UNSUBSCRIBE)):
        visitor.visit(way)
        visitor.page.evaluate("document.documentElement.style.fontSize = '200%'")
        visitor.looks()
    answer.press(invitation, 3, timezone.now(), confirmed=True)
    visitor.visit(address(invitation))
    visitor.page.evaluate("document.documentElement.style.fontSize = '200%'")
    visitor.looks()


@pytest.mark.parametrize("kind", [Kind.CSAT, Kind.CES])
def test_the_other_scales_fit_as_well(visitor, customer, kind):
    page = visitor.page
    visitor.visit(address(asked(survey_of(kind), customer)) + "?score=2")
    visitor.looks()
    expect(page.get_by_role("radio")).to_have_count(len(kind.scale))
    expect(page.get_by_role("radio", name="2", exact=True)).to_be_checked()
    assert not Response.objects.exists()  # looking is not answering


def test_right_to_left_the_page_is_mirrored_and_fits(visitor, nps, customer):
    page = visitor.page
    page.goto(address(asked(nps, customer, language="ar")))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    visitor.looks()
    first, last = (page.locator(".scores label").nth(n).bounding_box() for n in (0, 1))
    assert first["x"] > last["x"]


@pytest.mark.parametrize("lost", ["unknown", "expired"])
def test_a_link_that_leads_nowhere_says_so(visitor, nps, customer, lost):
    invitation = asked(nps, customer, expires_at=timezone.now() - timedelta(days=1))
    way = address(invitation) if lost == "expired" else "/a/" + "a" * 26
    assert visitor.page.goto(way).status == 404
    expect(visitor.page.get_by_role("heading", name="does not lead to a survey")).to_be_visible()
    visitor.looks()
    # Chromium itself reports the 404 of a page, and nothing else is reported.
    assert all("404" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


def test_a_customer_opts_out_by_keyboard_alone(visitor, nps, customer):
    page = visitor.page
    visitor.visit(address(asked(nps, customer), Purpose.UNSUBSCRIBE))
    visitor.looks()
    assert not Suppression.objects.exists()  # looking is not leaving
    visitor.tab_to(page.get_by_role("radio").first)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio").last).to_be_checked()
    visitor.tab_to(page.get_by_role("button", name="Unsubscribe"))
    visitor.dwell()
    visitor.press()
    expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    visitor.looks()
    assert Suppression.objects.get().family is None


def test_the_inbox_shows_a_mail_and_its_links_lead_to_the_answer(visitor, inbox, nps, customer):
    asked(nps, customer)
    call_command("clock", once=True)
    page = visitor.page
    page.goto("/inbox/")
    visitor.looks()
    visitor.tab_to(page.get_by_role("link", name="ines@lakeside.example"))
    visitor.press()
    visitor.looks()
    page.frame_locator("iframe[title='The mail']").get_by_role("link", name="9", exact=True).click()
    expect(page.get_by_role("radio", name="9", exact=True)).to_be_checked()


def test_the_measures_see_what_is_wrong(chromium):
    """The control: a page that is too wide and too small is found to be both."""
    page = chromium.new_page(viewport={"width": 320, "height": 800})
    page.set_content(
        "<body><div style='width:900px'>wide</div>"
        "<button style='width:9px;height:9px;padding:0'></button>"
    )
    assert page.evaluate(SIDEWAYS) > 0
    assert page.evaluate(TOO_SMALL) == [""]
    page.close()
