"""Eleven ways in which mail scanners go through the links of a mail.

Those of plain HTTP read pages as programs do, those of Chromium as sandboxes do. A profile gets
the links of one mail in the order of the mail, and a client, which has an address of its own.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError

from tests.bench.forms import Form, forms_of
from tests.bench.mails import Links
from tests.bench.web import Reply, exchange, request

BROWSER = {  # which the better ones pretend to be
    "User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept_Language": "en-US,en;q=0.5",
}
DWELL = 5_000  # milliseconds that a sandbox stays on a page before it acts
AT_ONCE = 8  # pages
PATIENCE = 2_000  # until a press is known to lead nowhere
WITH_BUTTONS = "button, input[type=submit]"


Act = Callable[[Page], None]


@dataclass(frozen=True)
class Client:
    """Somebody at an address; the site trusts the header of the proxy in front of it."""

    port: int
    address: str

    def send(self, method: str, link: str, body: bytes = b"", **headers: str) -> Reply:
        parts = urlsplit(link)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {**BROWSER, "X_Forwarded_For": self.address, **headers}
        return exchange(self.port, request(method, target, body, **headers))

    def get(self, link: str, **headers: str) -> Reply:
        return self.send("GET", link, **headers)

    def elsewhere(self) -> Client:
        """The same scanner, from its second address."""
        return Client(self.port, self.address.replace("10.", "11.", 1))


@dataclass(frozen=True)
class Job:
    """What Chromium does with one link once it has dwelt on the page."""

    client: Client
    link: str
    act: Act


def only_heads(client: Client, links: Links) -> None:
    for link in links:
        client.send("HEAD", link)


def every_link(client: Client, links: Links) -> None:
    for link in links:
        client.get(link)


def every_link_from_two_addresses(client: Client, links: Links) -> None:
    for link in links:
        client.get(link)
        client.elsewhere().get(link)


def mangled(client: Client, links: Links) -> None:
    """In another case, without the query, with the full stop that ended a sentence."""
    for link in links:
        parts = urlsplit(link)
        for path in (parts.path[:3] + parts.path[3:].upper(), parts.path, link + "."):
            client.get(path)


def prefetched(client: Client, links: Links) -> None:
    for link in links:
        client.get(link, Purpose="prefetch", Sec_Purpose="prefetch;prerender", X_Moz="prefetch")


def rewritten(client: Client, links: Links) -> None:
    """A service puts itself before each link, looks at what is behind it, and then redirects."""
    service = Client(client.port, client.address.replace("10.", "12.", 1))
    for link in links:
        wrapped = f"https://safelinks.example/?url={quote(link, safe='')}&data=05%7C02&reserved=0"
        behind = unquote(urlsplit(wrapped).query.partition("url=")[2].partition("&")[0])
        service.send("HEAD", behind)
        service.get(behind)
        client.get(behind, Referer="https://safelinks.example/")


def every_form_sent(client: Client, links: Links) -> None:
    """Sends each form at once, in the order of the page, with anything in its fields; and once more
    each form of the page that comes back."""
    for link in links:
        page = client.get(link).text
        for form in forms_of(page):
            reply = send_form(client, link, form)
            for another in forms_of(reply.text):
                send_form(client, link, another)


def send_form(client: Client, link: str, form: Form) -> Reply:
    some = {name: random.choice(values) for name, values in form.choices.items()}
    said = some | form.values | dict.fromkeys(form.texts, "test@example.com")
    for button in form.buttons[:1]:
        said |= button
    target = urljoin(link, form.action or link)
    if form.method == "POST":
        return client.send("POST", target, urlencode(said).encode())
    return client.get(f"{target}?{urlencode(said)}")


def press_first(page: Page) -> None:
    """The first button that is to be seen."""
    press(page, page.locator(WITH_BUTTONS).locator("visible=true").first)


def press_number(number: int) -> Act:
    """The button of that number, which a script can press whether it is to be seen or not."""
    return lambda page: press(page, page.locator(WITH_BUTTONS).nth(number))


def press(page: Page, target: Locator) -> None:
    """Like a hand where it can be seen. A form that is not complete stays where it is."""
    if not target.count():
        return
    with suppress(TimeoutError), page.expect_event("framenavigated", timeout=PATIENCE):
        if target.is_visible():
            target.click(no_wait_after=True)
        else:
            target.evaluate("button => button.click()")
    page.wait_for_load_state()


def buttons_behind(client: Client, link: str) -> int:
    return sum(len(form.buttons) for form in forms_of(client.get(link).text))


def in_chromium(browser: Browser, jobs: list[Job]) -> None:
    """AT_ONCE links at a time; each client has a fresh profile of the browser."""
    for start in range(0, len(jobs), AT_ONCE):
        some = jobs[start : start + AT_ONCE]
        contexts = {client: a_profile(browser, client) for client in {job.client for job in some}}
        opened = [contexts[job.client].new_page() for job in some]
        for page, job in zip(opened, some, strict=True):
            page.goto(job.link, wait_until="commit")
        opened[0].wait_for_timeout(DWELL)
        for page, job in zip(opened, some, strict=True):
            job.act(page)
        for context in contexts.values():
            context.close()


def a_profile(browser: Browser, client: Client) -> BrowserContext:
    return browser.new_context(extra_http_headers={"X-Forwarded-For": client.address})
