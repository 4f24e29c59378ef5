"""`make scanners`: what eleven kinds of mail scanners leave behind, of 10,000 links in all.

Each gets mails of its own and goes through every link of them, as rendered for a customer: the
scores, the page, the way out, the link that nobody sees. Whoever only looks must leave no answer,
no opt-out and no task. Those who press buttons must end uncounted for 99 of 100 links: what got
through is printed. Chromium presses after five seconds, and does not press again on the page that
comes back. That is the remaining limit: a machine that waits like a person on the page that asks to
press once more, and presses there, is taken for one.

Every scanner of a mail comes from an address of its own; one profile uses a single address for all
its mails, as a gateway does. LINKS, IN_CHROMIUM (of each of three profiles) and CARELESS=1 (the
control, where opening a link is an answer) come from the environment.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, count, islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.bench import profiles
from tests.bench.mails import Links, Mail, mails_with
from tests.bench.profiles import Client, Job

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from surveys.models import Survey

LEAST_TRAPPED = 0.99
HTTP_AT_ONCE = 4
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True)
class Profile:
    """`visit` goes through a mail by HTTP, `jobs` says what Chromium is to do with it."""

    name: str
    visit: Callable[[Client, Links], None] | None = None
    jobs: Callable[[Client, Links], Iterator[Job]] | None = None
    presses: bool = False
    comes_again: bool = False  # a day later
    is_gateway: bool = False  # one address for all mails


def only_look(client: Client, links: Links) -> Iterator[Job]:
    return (Job(client, link, lambda page: None) for link in links)


def press_first(client: Client, links: Links) -> Iterator[Job]:
    return (Job(client, link, profiles.press_first) for link in links)


def press_each(client: Client, links: Links) -> Iterator[Job]:
    """Every button of the page, seen or not, each on a fresh one."""
    for link in links:
        for number in range(profiles.buttons_behind(client, link) or 1):
            yield Job(client, link, profiles.press_number(number))


PROFILES = [
    Profile("HEAD of every link", profiles.only_heads),
    Profile("GET of every link", profiles.every_link),
    Profile("GET twice, from two addresses", profiles.every_link_from_two_addresses),
    Profile("GET of mangled links", profiles.mangled),
    Profile("prefetch", profiles.prefetched),
    Profile("rewritten links", profiles.rewritten),
    Profile("GET again a day later", profiles.every_link, comes_again=True),
    Profile("every form sent raw", profiles.every_form_sent, presses=True, is_gateway=True),
    Profile("Chromium, looks", jobs=only_look),
    Profile("Chromium, first button", jobs=press_first, presses=True),
    Profile("Chromium, every button", jobs=press_each, presses=True),
]


@dataclass
class Scan:
    """What one profile did, and what it left behind."""

    profile: Profile
    mails: list[Mail]
    answers: int = 0
    optouts: int = 0  # or answers that were deleted by their own page
    tasks: int = 0
    caught: int = 0  # answers stored as a machine's
    pressed_through: int = 0  # links
    links: int = field(init=False)

    def __post_init__(self):
        self.links = sum(len(mail.links) for mail in self.mails)


def scan(survey: Survey, port: int, browser: Browser, links: int, in_chromium: int) -> list[Scan]:
    """Let every profile loose on mails of the survey whose pages are served at `port`."""
    chromium = sum(profile.jobs is not None for profile in PROFILES)
    shares = iter(split(links - in_chromium * chromium, len(PROFILES) - chromium))
    scans, jobs = [], []
    for profile in PROFILES:
        mails = mails_with(survey, in_chromium if profile.jobs else next(shares))
        clients = [Client(port, address) for address in addresses(len(mails), profile.is_gateway)]
        if profile.jobs:
            of = [mail.links for mail in mails]
            jobs += chain.from_iterable(map(profile.jobs, clients, of))
        else:
            go_through(profile, mails, clients)
        scans.append(Scan(profile, mails))
    profiles.in_chromium(browser, jobs)
    return [judged(scan) for scan in scans]


def split(number: int, parts: int) -> list[int]:
    return [number // parts + (part < number % parts) for part in range(parts)]


def go_through(profile: Profile, mails: list[Mail], clients: list[Client]) -> None:
    links = [mail.links for mail in mails]
    with ThreadPoolExecutor(HTTP_AT_ONCE) as pool:
        list(pool.map(profile.visit, clients, links))
        if profile.comes_again:
            a_day_passes(mails)
            list(pool.map(profile.visit, clients, links))


numbers = count(1)


def addresses(number: int, is_gateway: bool) -> list[str]:
    new = [f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in islice(numbers, number)]
    return new[:1] * number if is_gateway else new


def a_day_passes(mails: list[Mail]) -> None:
    from django.db.models import F

    from surveys.models import Invitation, Visit

    a_day = timedelta(days=1)
    asked = Invitation.objects.filter(pk__in=[mail.invitation.pk for mail in mails])
    asked.update(**{name: F(name) - a_day for name in ("created_at", "send_at", "expires_at")})
    Visit.objects.filter(invitation__in=asked).update(at=F("at") - a_day)


def judged(scan: Scan) -> Scan:
    """Fill in what is in the database about its mails."""
    from surveys.models import Customer, OutreachTask, Response, Suppression

    asked = [mail.invitation for mail in scan.mails]
    of = {Suppression.hash(one.customer.email): one.pk for one in asked}
    left = Suppression.objects.filter(digest__in=of, reason="unsubscribed")
    opted_out = {of[bytes(digest)] for digest in left.values_list("digest", flat=True)}
    given = Response.objects.filter(invitation__in=asked)
    tasks = OutreachTask.objects.filter(response__in=given)
    counted = set(given.counted().values_list("invitation", flat=True))
    counted |= set(tasks.open().values_list("response__invitation", flat=True))
    gone = Customer.objects.filter(invitations__in=asked).exclude(forgotten_at=None)
    forgotten = set(gone.values_list("invitations", flat=True))
    lost = len(opted_out | forgotten)
    scan.answers, scan.optouts, scan.tasks = given.count(), lost, tasks.count()
    scan.caught = given.filter(verdict="machine").count()
    for mail in scan.mails:
        for link in mail.links:
            done = {"/u/": opted_out, "/p/": forgotten}.get(urlsplit(link).path[:3], counted)
            scan.pressed_through += mail.invitation.pk in done
    return scan


def describe(scan: Scan) -> str:
    said = f"{scan.profile.name:32}{scan.links:6} links of {len(scan.mails):3} mails: "
    said += f"{scan.answers} answers, {scan.optouts} opt-outs, {scan.tasks} tasks"
    if scan.profile.presses:
        said += f"; {scan.caught} answers caught, {scan.pressed_through} links pressed through"
    return said


def figures(scans: list[Scan]) -> dict[str, float]:
    quiet = [scan for scan in scans if not scan.profile.presses]
    pressing = [scan for scan in scans if scan.profile.presses]
    through = sum(scan.pressed_through for scan in pressing)
    return {
        "links": sum(scan.links for scan in scans),
        "profiles": len(scans),
        "answers": sum(scan.answers for scan in quiet),
        "optouts": sum(scan.optouts for scan in quiet),
        "tasks": sum(scan.tasks for scan in quiet),
        "trapped": round(1 - through / sum(scan.links for scan in pressing), 4),
        "pressed_through": through,
    }


def holds(found: dict[str, float]) -> bool:
    """Whether no limit is broken."""
    is_silent = not (found["answers"] or found["optouts"] or found["tasks"])
    return is_silent and found["trapped"] >= LEAST_TRAPPED


def main() -> None:
    from playwright.sync_api import sync_playwright

    from tests.bench import house
    from tests.bench.web import Web, as_in_production

    environment = {"PROXY_COUNT": "1"}
    if os.environ.get("CARELESS"):
        environment["BENCH_URLS"] = "tests.bench.careless"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's loop is not the ORM's
    with house.open_house():
        web = Web(
            "web", house.HOME / "web.log", as_in_production(house.HOME / "static", **environment)
        )
        os.environ["SITE_URL"] = web.site
        house.start_django()
        with web, sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=path, args=QUIET)
            links = int(os.environ.get("LINKS", "10000"))
            in_chromium = int(os.environ.get("IN_CHROMIUM", "300"))
            scans = scan(house.survey(), web.port, browser, links, in_chromium)
            browser.close()
    print(*map(describe, scans), sep="\n")
    found = figures(scans)
    print(json.dumps(found))
    sys.exit(0 if holds(found) else 1)


if __name__ == "__main__":
    main()
