"""A day in the life: twelve unhappy customers, and what two colleagues do about them.

Everything is done in the browser but for what others do elsewhere: the customer's mail program
sends a reply by SMTP, and the clock sweeps.
"""

import re
import smtplib
from datetime import timedelta
from email.message import EmailMessage
from itertools import product

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from analysis.board import board
from analysis.measures.closure import Closure
from surveys import tasks as sweeps
from surveys.loop import answer, ask
from surveys.models import (
    Account,
    Confirmation,
    Customer,
    MailTemplate,
    OutreachTask,
    RootCause,
)
from tests.browser.test_axe import ALL_RULES, AXE
from tests.browser.test_customer_pages import LEAST_LOOK, SIDEWAYS
from tests.conftest import colleague

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]

# Hours ago; who shares an account with whom does not matter but for Dora and Edgar.
ANSWERED = {
    "Late Larsson": 80, "Missed Mbeki": 75, "Cleo Calder": 60, "Dora Dean": 50, "Edgar Dean": 49,
    "Rita Reply": 40, "Silas Still": 30, "Hanna Hand": 24, "Snorre Snooze": 20, "Wendy Wrong": 12,
    "Denise Denial": 8, "Tom Taken": 5,
}  # fmt: skip
IN_TIME = {"Cleo Calder", "Dora Dean", "Edgar Dean", "Rita Reply", "Hanna Hand", "Denise Denial"}
MISSED = {"Late Larsson", "Missed Mbeki", "Silas Still", "Snorre Snooze", "Tom Taken"}
FIND = """([where, options]) => axe.run(where, {resultTypes: ["violations"], ...options}).then(
  found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`)))"""


@pytest.fixture
def cara(team):
    return colleague("cara", "account_manager", team)


@pytest.fixture
def tasks(nps, alice, settings):
    """By the customer's name."""
    settings.TASK_ADDRESS = "tasks@northwind.example"
    settings.EMBEDDED = True  # its inbox is ours, so whoever writes there is who they say
    settings.CONFIRM_AFTER_HOURS = 0  # the customers are asked on the same day
    delivery = RootCause.objects.create(name="Delivery")
    RootCause.objects.create(name="Came late", parent=delivery)
    MailTemplate.objects.create(
        name="Missed you", subject="I tried to call you", text="Hello {name},\n\nwhen?\n\n{sender}"
    )
    return {name: opened(name, hours, nps, alice) for name, hours in ANSWERED.items()}


def opened(name: str, hours: int, survey, owner) -> OutreachTask:
    first, last = name.lower().split()
    account, _ = Account.objects.get_or_create(name=f"{last.title()} Ltd", owner=owner)
    email, phone = f"{first}@{last}.example", "+44 20 7946 0000"
    customer = Customer.objects.create(name=name, email=email, phone=phone, account=account)
    then = timezone.now() - timedelta(hours=hours)
    return answer.give(ask.invite(survey, [customer], "day:1", then)[0], 2, "Late.", then)[0].task


class Desk:
    """One colleague at work."""

    def __init__(self, page, tasks):
        self.page, self.tasks = page, tasks

    def open(self, name: str) -> None:
        self.page.goto(f"/admin/surveys/outreachtask/{self.tasks[name].pk}/change/")

    def form(self, button: str):
        return self.page.locator("form", has=self.page.get_by_role("button", name=button))

    def press(self, button: str, said: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()
        expect(self.page.get_by_text(said)).to_be_visible()

    def log(self, name: str, outcome: str, *also: str) -> None:
        self.open(name)
        form = self.form("Log the contact")
        form.get_by_label("Channel").select_option("phone")
        form.get_by_label("Outcome").select_option(outcome)
        for other in also:
            form.get_by_label(re.compile(other)).check()
        self.press("Log the contact", "The contact is logged.")

    def close(self, outcome: str) -> None:
        form = self.form("Close the task")
        form.get_by_label("Root cause").select_option(label="Came late")
        form.get_by_label("Outcome").select_option(outcome)
        form.get_by_label("Action taken").fill("Sent a new one by courier.")
        self.press("Close the task", "The task is closed.")

    def write(self, name: str) -> None:
        self.open(name)
        self.page.get_by_role("link", name="Missed you").click()
        form = self.form("Send the mail")
        expect(form.get_by_label("Text")).to_have_value(f"Hello {name},\n\nwhen?\n\nAlice")
        self.press("Send the mail", "Your mail is on its way.")


def test_a_day_in_the_life(page, inbox, sign_in, tasks, alice, cara, lead, manager):
    desk = Desk(page, tasks)
    sign_in(alice)
    with_the_keyboard_alone(desk, "Cleo Calder")
    desk.log("Dora Dean", "spoke", "Edgar Dean")
    desk.close("improved")
    without_scripts(page, tasks, "Late Larsson")
    desk.log("Rita Reply", "no_answer")
    desk.write("Rita Reply")
    desk.write("Silas Still")
    snooze(desk, "Snorre Snooze")
    hand_over(desk, "Hanna Hand", "Cara")
    desk.log("Denise Denial", "spoke")
    desk.close("recovered")
    sweeps.send_mail()
    replies(inbox, "rita@reply.example")
    sweeps.read_inbox()
    desk.open("Rita Reply")
    expect(page.get_by_text("E-mail: Replied")).to_be_visible()
    expect(page.get_by_text("Monday at ten suits me.")).to_be_visible()

    sign_in(cara)
    desk.log("Hanna Hand", "refused")
    sign_in(lead)
    withdraw(desk, "Wendy Wrong")
    desk.open("Tom Taken")
    desk.press("Take this task", "The task is yours.")

    sweeps.confirm_closings()
    sweeps.send_mail()
    says(page, "cleo@calder.example", "Yes, somebody did", "It helped")
    says(page, "denise@denial.example", "No, nobody did")
    assert Confirmation.objects.exclude(answered_at=None).count() == 2
    begins_anew(desk, sign_in, alice, "Denise Denial")
    counts_as_by_hand(tasks, manager, alice, cara, lead)


def with_the_keyboard_alone(desk: Desk, name: str) -> None:
    """Log a call and close the task without a mouse, on a page on which axe finds nothing."""
    page = desk.page
    desk.open(name)
    looks_well(page, ".voc", (375, 1440))
    tab_to(page, desk.form("Log the contact").get_by_label("Channel"))
    page.keyboard.type("Phone")
    page.keyboard.press("Tab")
    page.keyboard.type("Spoke")
    tab_to(page, page.get_by_role("button", name="Log the contact"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The contact is logged.")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Close the task"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    tab_to(page, desk.form("Close the task").get_by_label("Root cause"))
    page.keyboard.type("Came")
    page.keyboard.press("Tab")
    page.keyboard.type("Recovered")
    page.keyboard.press("Tab")
    page.keyboard.type("Sent a new one.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How it ended")).to_be_visible()


def without_scripts(page, tasks, name: str) -> None:
    """The same colleague in a browser that runs none."""
    context = page.context.browser.new_context(
        java_script_enabled=False,
        storage_state=page.context.storage_state(),
        base_url=page.url.partition("/admin")[0],
    )
    Desk(context.new_page(), tasks).log(name, "spoke")
    context.close()


def tab_to(page, target) -> None:
    for _ in range(120):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def looks_well(page, where: str, sizes: tuple[int, int]) -> None:
    """In both widths, light and dark: axe finds nothing, and nothing is too wide."""
    page.evaluate(AXE)
    before, found = page.viewport_size, []
    for width, scheme in product(sizes, ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{width} {scheme} {said}" for said in page.evaluate(FIND, [where, ALL_RULES])]
        assert page.evaluate(SIDEWAYS) <= 0
    assert found == []
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light")


def snooze(desk: Desk, name: str) -> None:
    desk.open(name)
    desk.form("Snooze").get_by_label("Why it can wait").fill("On a plane until tomorrow")
    desk.press("Snooze", "The task is out of the queue until then.")
    expect(desk.page.get_by_text("On a plane until tomorrow").first).to_be_visible()


def hand_over(desk: Desk, name: str, to: str) -> None:
    desk.open(name)
    desk.form("Hand over").get_by_label("Hand over to").select_option(label=to)
    desk.press("Hand over", "The task is handed over.")


def withdraw(desk: Desk, name: str) -> None:
    desk.open(name)
    desk.page.get_by_text("Withdraw a task that was opened wrongly").click()
    desk.form("Withdraw").get_by_label("Reason").fill("It was a test of ours.")
    desk.press("Withdraw", "The task is withdrawn.")


def replies(inbox, customer: str) -> None:
    """Their mail program answers what it got, to where it says."""
    got = next(mail for mail in inbox.messages() if mail["Delivered-To"] == customer)
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Message-ID"] = customer, got["Reply-To"], "<1@reply.example>"
    reply["Subject"], reply["In-Reply-To"] = f"Re: {got['Subject']}", got["Message-ID"]
    reply.set_content("Monday at ten suits me.\n")
    with smtplib.SMTP("127.0.0.1", inbox.port) as server:
        server.send_message(reply)


def says(page, customer: str, *choices: str) -> None:
    """The customer opens their mail, and presses the button of the page behind it."""
    page.context.clear_cookies()
    page.goto(f"/inbox/?to={customer}")
    page.get_by_role("link", name=re.compile("did somebody get back to you")).click()
    mail = page.frame_locator("iframe[title='The mail']")
    mail.get_by_role("link", name=choices[0]).click()
    looks_well(page, "html", (320, 1280))
    for choice in choices:
        page.get_by_role("radio", name=choice, exact=True).check()
    page.wait_for_timeout(LEAST_LOOK)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def begins_anew(desk: Desk, sign_in, owner, name: str) -> None:
    """The denial has opened it again; the first deadline keeps its verdict."""
    sign_in(owner)
    desk.open(name)
    expect(
        desk.page.get_by_text("It was closed, and the customer says it is not over.")
    ).to_be_visible()
    expect(desk.page.get_by_text("reached after 8 h")).to_be_visible()
    expect(desk.page.get_by_text("24 hours after their no")).to_be_visible()
    due_at = desk.tasks[name].due_at
    desk.log(name, "spoke")
    task = OutreachTask.objects.get(pk=desk.tasks[name].pk)
    assert (task.state, task.due_at) == ("open", due_at)
    assert task.first_contact_at < task.denied_at < task.second_contact_at < task.second_due_at


def counts_as_by_hand(tasks, manager, alice, cara, lead) -> None:
    """As the board will say once all 72 hours are over."""
    fresh = {name: OutreachTask.objects.get(pk=task.pk) for name, task in tasks.items()}
    owners = {name: fresh[name].owner for name in ("Hanna Hand", "Tom Taken", "Cleo Calder")}
    assert owners == {"Hanna Hand": cara, "Tom Taken": lead, "Cleo Calder": alice}
    in_time = {n for n, t in fresh.items() if t.first_contact_at and t.first_contact_at < t.due_at}
    assert in_time == IN_TIME
    shown = board(manager, 8, timezone.now() + timedelta(hours=73))
    months = (shown.closure, shown.closure_before)  # the day may be the first of a month
    hits, late, overdue, withdrawn = (
        sum(getattr(month, group) for month in months)
        for group in ("contacted_in_time", "late", "overdue", "withdrawn")
    )
    assert (hits, late, overdue, withdrawn) == (6, 1, 4, 1)
    assert (len(IN_TIME), len(MISSED)) == (hits, late + overdue)
    assert Closure(contacted_in_time=hits, late=late, overdue=overdue).rate == 6 / 11
    said = shown.false_closures
    assert (said.denied, said.confirmed) == (1, 1)
