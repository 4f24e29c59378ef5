"""The pages that customers see, in a real Chromium: on a phone and on a desk, light and dark, with
and without JavaScript, by keyboard alone. Each page fits, is readable, and the console is clean."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from surveys.loop import ask
from surveys.models import Invitation, Kind, Purpose, Response, Suppression
from tests.conftest import survey_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]

# The lowest contrast of text with what is behind it (WCAG 2.2, 1.4.3), of texts that are shown.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff");
  };
  const shown = [...document.querySelectorAll("body *")].filter(element =>
    [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) &&
    element.checkVisibility() && element.getBoundingClientRect().width > 1);
  const ratios = shown.map(element => {
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), element.textContent.trim()];
  });
  return ratios.sort((a, b) => a[0] - b[0])[0];
}"""
# What can be pressed and is smaller than 24 by 24 pixels (WCAG 2.2, 2.5.8); links in a text may be.
TOO_SMALL = """() => [...document.querySelectorAll("button, label:has(input), textarea")]
  .map(one => [one.getBoundingClientRect(), one.textContent.trim()])
  .filter(([box]) => box.width < 24 || box.height < 24).map(([, text]) => text)"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Visitor:
    page: Page
    complaints: list[str]

    def looks(self) -> None:
        """What must hold of every page, whoever looks at it."""
        assert self.page.evaluate(SIDEWAYS) <= 0
        ratio, text = self.page.evaluate(CONTRAST)
        assert ratio >= 4.5, text
        assert self.page.evaluate(TOO_SMALL) == []
        assert self.page.locator("h1").count() == 1
        assert self.page.title()
        assert self.page.locator("html").get_attribute("lang")

    def tab_to(self, target) -> None:
        """Press Tab until `target` has the focus, which must then be seen."""
        for _ in range(20):
            self.page.keyboard.press("Tab")
            if target.evaluate("one => one === document.activeElement"):
                break
        expect(target).to_be_focused()

    def press(self, key: str = "Enter") -> None:
        """Press a key that leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)


@pytest.fixture(params=[320, 1280])
def width(request) -> int:
    return request.param


@pytest.fixture(params=["light", "dark"])
def scheme(request) -> str:
    return request.param


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def visitor(chromium, live_server, width, scheme, request):
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
    page = visitor.page
    page.goto(address(asked(nps, customer)))
    visitor.looks()
    visitor.tab_to(page.get_by_role("radio", name="0 – Not at all likely"))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_role("radio", name="3", exact=True)).to_be_checked()
    visitor.tab_to(page.get_by_label("What is the main reason?"))
    page.keyboard.type("The parcel came a week late.")
    visitor.tab_to(page.get_by_role("button", name="Send my answer"))
    visitor.press()

    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    visitor.looks()
    said = Response.objects.get()
    assert (said.score, said.comment) == (3, "The parcel came a week late.")

    visitor.tab_to(page.get_by_role("link", name="Change my answer"))
    visitor.press()
    visitor.looks()
    visitor.tab_to(page.get_by_role("radio", name="3", exact=True))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")  # sends the form, as everywhere
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    said.refresh_from_db()
    assert (said.score, said.versions.count()) == (4, 2)


@pytest.mark.parametrize("kind", [Kind.CSAT, Kind.CES])
def test_the_other_scales_fit_as_well(visitor, customer, kind):
    page = visitor.page
    page.goto(address(asked(survey_of(kind), customer)) + "?score=2")
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
    page.goto(address(asked(nps, customer), Purpose.UNSUBSCRIBE))
    visitor.looks()
    assert not Suppression.objects.exists()  # looking is not leaving
    visitor.tab_to(page.get_by_role("radio").first)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio").last).to_be_checked()
    visitor.tab_to(page.get_by_role("button", name="Unsubscribe"))
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
    """The control: a page that is too wide, too pale and too small is found to be all three."""
    page = chromium.new_page(viewport={"width": 320, "height": 800})
    page.set_content(
        "<body style='background:#fff'><div style='width:900px'>wide</div>"
        "<p style='color:#999'>pale</p><button style='width:9px;height:9px;padding:0'></button>"
    )
    assert page.evaluate(SIDEWAYS) > 0
    ratio, text = page.evaluate(CONTRAST)
    assert (round(ratio, 2), text) == (2.85, "pale")
    assert page.evaluate(TOO_SMALL) == [""]
    page.close()
