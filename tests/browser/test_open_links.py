"""An open link in a real Chromium: answered without a script, framed by listed pages only, and its
QR code and poster as they are printed."""

import pytest
from playwright.sync_api import Page, expect

from surveys.admin.default_words import default_wording
from surveys.models import OpenLink, Response
from surveys.pages import clients
from tests.browser.test_axe import AXE, findings

pytestmark = pytest.mark.django_db(transaction=True)

A4_HEIGHT = 1_123 - 136  # pixels at 96 a inch, without the margins
LISTED, OTHER = "https://shop.example", "https://other.example"


@pytest.fixture
def link(nps):
    clients.walks.forget()
    return OpenLink.objects.create(survey=nps, name="Counter", framed_by=LISTED)


@pytest.fixture
def somewhere(chromium, link, live_server):
    """A page of the given origin that embeds the link as the admin's snippet does; and the pages'
    complaints. Chromium asks before a public page may show one of this machine: here it may."""
    context = chromium.new_context(
        viewport={"width": 360, "height": 900},
        java_script_enabled=False,
        permissions=["local-network-access"],
    )
    address = f"{live_server.url}/o/{link.token}"
    frame = f'<iframe src="{address}" title="Survey" width="100%" height="760"></iframe>'
    complaints: list[str] = []

    def visit(origin: str) -> Page:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.route(f"{origin}/**", lambda r: r.fulfill(content_type="text/html", body=frame))
        return page

    yield visit, complaints, context
    context.close()


def refused(page: Page, origin: str) -> str:
    """Why Chromium shows a page of its own in the frame."""
    with page.expect_console_message() as said:
        page.goto(f"{origin}/offers/today")
    page.frames[1].wait_for_url("chrome-error://chromewebdata/", wait_until="commit")
    expect(page.frame_locator("iframe").get_by_text("How likely are you")).to_have_count(0)
    return said.value.text


def test_a_listed_page_shows_it_and_its_visitors_answer_there(somewhere):
    visit, complaints, context = somewhere
    page = visit(LISTED)
    page.goto(f"{LISTED}/offers/today")
    framed = page.frame_locator("iframe")
    expect(framed.get_by_role("heading", level=1)).to_contain_text("How likely are you")
    page.wait_for_timeout(1_100)  # nobody reads it sooner, say the traps
    framed.get_by_role("radio", name="9").check()
    framed.get_by_role("button", name="Send my answer").click()
    expect(framed.get_by_role("heading", level=1)).to_have_text("Your answer has arrived")
    framed.locator("#comment").fill("Found it on your page.")
    page.wait_for_timeout(1_100)
    framed.get_by_role("button", name="Send", exact=True).click()
    expect(framed.get_by_role("heading", level=1)).to_have_text("Thank you")
    response = Response.objects.get()
    assert (response.score, response.comment, response.verdict, response.source) == (
        9, "Found it on your page.", "person", "anonymous",
    )  # fmt: skip
    assert context.cookies() == []
    assert complaints == []


def test_another_page_does_not_show_it(somewhere):
    visit, _, _ = somewhere
    assert "frame-ancestors https://shop.example" in refused(visit(OTHER), OTHER)


def test_when_no_page_is_listed_none_shows_it(somewhere, link):
    link.framed_by = ""
    link.save()
    visit, _, _ = somewhere
    assert "frame-ancestors 'none'" in refused(visit(LISTED), LISTED)


@pytest.mark.urls("tests.browser.urls")
def test_a_link_is_made_printed_and_followed(page, sign_in, manager, nps):
    sign_in(manager)
    page.goto("/admin/surveys/openlink/")
    page.get_by_role("link", name="Make one").click()
    page.locator("#id_survey").select_option(label="Relationship")
    page.locator("#id_name").fill("Counter")
    page.locator("#id_framed_by").fill("https://shop.example/")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="The link")).to_be_visible()
    code = page.get_by_alt_text("QR code of the link")
    assert code.evaluate("image => image.complete && image.naturalWidth") > 100
    assert OpenLink.objects.get().origins == ["https://shop.example"]
    with page.expect_download() as download:
        page.get_by_role("link", name="QR code as PNG").click()
    assert download.value.suggested_filename == "relationship-counter.png"
    poster = page.context.new_page()
    poster.set_viewport_size({"width": 658, "height": 900})
    poster.goto(page.get_by_role("link", name="Poster to print").get_attribute("href"))
    poster.emulate_media(media="print")
    expect(poster.get_by_role("heading", level=1)).to_contain_text("How likely are you")
    expect(poster.get_by_text("Print this page")).to_be_hidden()
    height = "() => document.documentElement.scrollHeight"
    assert poster.evaluate(height) <= A4_HEIGHT


@pytest.mark.parametrize("language", ["en", "ar", "ja"])
def test_nobody_is_shut_out(page, link, language):
    """axe-core, on every page that only an open link has."""
    link.survey.wordings.all().delete()
    default_wording(link.survey, language).save()
    page.context.set_extra_http_headers({"Accept-Language": language})
    page.add_init_script(AXE)
    page.emulate_media(reduced_motion="reduce")
    form, found = page.locator("main form:not([hidden])"), {}

    def look(what: str) -> None:
        assert page.locator("html").get_attribute("lang") == language, what
        if problems := findings(page):
            found[what] = problems

    page.goto(f"/o/{link.token}")
    look("the form")
    page.wait_for_timeout(1_100)
    page.get_by_role("radio").first.check()
    form.get_by_role("button").click()
    expect(page.locator("#comment")).to_be_visible()
    look("more")
    page.wait_for_timeout(1_100)
    form.get_by_role("button").click()
    expect(page.locator("#comment")).to_have_count(0)
    look("thanks")
    assert found == {}
