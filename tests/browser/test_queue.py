"""The queue in a real browser: with a mouse, with the keyboard alone, on a phone and on a desk."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from surveys.loop import reach_out, snooze
from surveys.models import Customer, OutreachTask, SavedView
from tests.analysis.rows import detractor
from tests.browser.test_axe import AXE, RUN
from tests.browser.test_customer_pages import SIDEWAYS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]

QUEUE = "/admin/surveys/outreachtask/"
NAMES = ["Over Olu", "Soon Sam", "Late Lee"]
LOOKS = [(375, "light"), (375, "dark"), (1440, "light"), (1440, "dark")]
# Of the admin's theme, and not of our markup: what it draws around, and in each row of a list.
OURS = [".voc-tabs", ".voc-views", ".voc-lead", ".voc-filters", ".voc-nothing", ".voc",
        "#result_list .voc-two", "#result_list .voc-due", "#result_list .voc-score",
        "#result_list .voc-words", "#result_list .voc-theme", "#result_list .voc-aside",
        "#result_list .voc-badge", "#result_list .voc-take"]  # fmt: skip


@pytest.fixture
def tasks(nps, account, alice, lead):
    """Three of one account, the most urgent first."""
    now = timezone.now()
    account.revenue, account.renews_on = 400_000, now.date()
    account.save()
    for hours, name in zip((90, 70, 10), NAMES, strict=True):
        customer = Customer.objects.create(name=name, account=account, is_key_contact=True)
        task = detractor(nps, now - timedelta(hours=hours), customer=customer)
        reach_out.assign(task, alice, lead, now)
    OutreachTask.objects.filter(customer__name="Over Olu").update(level=3)
    return {task.customer.name: task for task in OutreachTask.objects.select_related("customer")}


def names(page):
    return page.locator("#result_list th .voc-two b")


def test_by_the_keyboard_alone(page, sign_in, tasks, lead, manager):
    sign_in(lead)
    page.goto(QUEUE)
    at = page.locator("#result_list tr:focus-within")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("j")  # asleep while the help is open
    page.keyboard.press("Escape")
    expect(at).to_have_count(0)
    for key, name in (("j", "Over Olu"), ("j", "Soon Sam"), ("k", "Over Olu"), ("k", "Over Olu")):
        page.keyboard.press(key)
        expect(at).to_contain_text(name)
    page.keyboard.press("j")
    page.keyboard.press("t")
    expect(page.get_by_text("The task of Soon Sam is yours.")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator(".voc-tabs .active")).to_contain_text("My open tasks 1")
    page.keyboard.press("2")
    expect(page.locator(".voc-tabs .active")).to_contain_text("My team's 3")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="1 task")).to_be_visible()
    page.get_by_label("To whom").focus()
    page.keyboard.type("Lead")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Give 1 task to Lead").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 task given to Lead.")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/outreachtask/\d+/change/"))
    owners = OutreachTask.objects.values_list("customer__name", "owner__name")
    assert dict(owners) == {"Over Olu": "Lead", "Soon Sam": "Lead", "Late Lee": "Alice"}


def test_keys_stay_out_of_the_way(page, sign_in, tasks, alice):
    """They lead into the filters and back, are letters while one types, and can be switched off:
    who speaks to the computer would press them by each word (WCAG 2.1.4)."""
    sign_in(alice)
    page.goto(QUEUE)
    page.keyboard.press("f")
    expect(page.locator("#changelist-filter :focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".voc-filters")).to_be_focused()
    expect(page.locator("#changelist-filter")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("jolt?")
    expect(page.get_by_placeholder("Customer, account or comment")).to_have_value("jolt?")
    page.get_by_role("button", name=re.compile("Keyboard")).click()
    page.get_by_label(re.compile("Single keys do nothing")).check()
    page.get_by_role("button", name="Close").click()
    page.reload()
    for key in ("j", "?", "f"):
        page.keyboard.press(key)
    expect(page.locator("#result_list tr:focus-within")).to_have_count(0)
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    expect(page.locator("#changelist-filter")).to_be_hidden()


def test_by_mouse_a_view_is_kept_and_who_takes_too_late_is_told(
    page, sign_in, tasks, lead, manager
):
    sign_in(lead)
    page.goto(QUEUE + "?queue=open&left=overdue")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name").fill("Too late")
    page.get_by_label("Share with my team").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The view “Too late” is saved.")).to_be_visible()
    page.goto(QUEUE)
    expect(names(page)).to_contain_text(NAMES)
    reach_out.assign(tasks["Over Olu"], manager, manager, timezone.now())
    page.get_by_role("button", name="Take the task of Over Olu").click()
    expect(page.get_by_text("Over Olu: This task belongs to Manager by now.")).to_be_visible()
    page.get_by_role("link", name="Too late").click()
    expect(names(page)).to_contain_text(["Over Olu"])
    assert SavedView.objects.get().is_shared


def test_nothing_of_ours_shuts_anybody_out(page, sign_in, tasks, alice, lead):
    """The list with all that a row can say, an empty tab, and the preview; in each width and
    scheme. What axe-core finds in the theme's own markup is not ours to change."""
    SavedView.objects.create(user=lead, name="Too late", query="queue=overdue", is_shared=True)
    sleepy, now = tasks["Late Lee"], timezone.now()
    sleepy.refresh_from_db()
    snooze.snooze(sleepy, alice, now + timedelta(hours=5), "Away until then.", now)
    sign_in(lead)
    found = {}
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.goto(QUEUE)
        found[f"queue {width} {scheme}"] = ours(page)
        found[f"width {width} {scheme}"] = ["too wide"] * (page.evaluate(SIDEWAYS) > 0)
    page.locator("input.action-select").first.check()
    page.keyboard.press("a")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.get_by_role("heading", name="What happens")).to_be_visible()
    found["preview"] = ours(page)
    page.goto(QUEUE + "?queue=today&left=overdue")
    expect(page.get_by_text("No task of “Due today” matches.")).to_be_visible()
    found["nothing"] = ours(page)
    assert {where: said for where, said in found.items() if said} == {}
    page.locator(".voc-nothing p").first.evaluate("words => { words.style.opacity = 0.3; }")
    assert [said.split(":")[0] for said in ours(page)] == ["color-contrast"]  # the control


def ours(page) -> list[str]:
    page.evaluate(AXE)
    there = [[part] for part in OURS if page.locator(part).count()]
    run = RUN.replace("axe.run({", "axe.run({include: options.include}, {")
    return page.evaluate(run, {"include": there})
