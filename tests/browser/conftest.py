"""A real Chromium, the machine's own, and a real inbox. Without a browser these tests say so."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from voc.embedded.inbox import Inbox

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # playwright's loop is not the ORM's
expect.set_options(timeout=10_000)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(config, items):
    """`make test` tells loudly what was left out (tests/browser/chromium.sh)."""
    if CHROMIUM is None and not os.environ.get("REQUIRE_BROWSER"):
        here = [item for item in items if "tests/browser" in str(item.path)]
        config.hook.pytest_deselected(items=here)
        items[:] = [item for item in items if item not in here]


@pytest.fixture(scope="session")
def chromium():
    assert CHROMIUM, "These tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, live_server):
    """A fresh visitor whose console stays clean: what the policy blocks would show there."""
    size = {"width": 1280, "height": 900}
    context = chromium.new_context(base_url=live_server.url, viewport=size)
    page = context.new_page()
    complaints: list[str] = []

    def listen(said):
        if said.type == "error" and "(Conflict)" not in said.text:  # how the admin refuses a form
            complaints.append(f"{said.text} {said.location['url']}")

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def inbox(tmp_path, settings, live_server):
    """The embedded inbox, where every mail of the test arrives by SMTP."""
    settings.SITE_URL = live_server.url
    settings.INBOX_DIR = str(tmp_path / "inbox")
    with Inbox(settings.INBOX_DIR) as inbox:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", inbox.port
        yield inbox


@pytest.fixture
def sign_in(page):
    def as_(user):
        page.context.clear_cookies()
        page.goto("/admin/login/")
        page.get_by_label("E-mail").fill(user.email)
        page.get_by_label("Password").fill("a-long-password")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/admin/")

    return as_
