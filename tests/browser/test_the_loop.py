"""One customer's answer through the whole product, with a mouse and a keyboard, as people do it."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from surveys.models import OutreachTask, Survey

LEAST_LOOK = 1_100  # milliseconds before a press counts as a person's
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]


def test_ask_answer_sort_reach_out_close_report(
    page, inbox, sign_in, manager, alice, customer, root_cause
):
    sign_in(manager)
    make_a_survey(page)
    launch_a_wave(page)
    call_command("clock", once=True)

    answer_from_the_mail(page, customer)
    call_command("clock", once=True)
    task = OutreachTask.objects.select_related("response").get()
    assert (task.owner, task.due_at - task.response.answered_at) == (alice, timedelta(hours=72))

    page.goto("/inbox/?to=alice")
    expect(page.get_by_role("link", name=re.compile("Lakeside Mills: score 3"))).to_be_visible()
    sign_in(alice)
    reach_out_and_close(page)
    task.refresh_from_db()
    assert (task.state, task.outcome, task.root_cause) == ("closed", "recovered", root_cause)
    assert task.first_contact_at < task.due_at

    read_the_report(page)


def make_a_survey(page):
    page.goto("/admin/surveys/survey/add/")
    page.get_by_label("Name", exact=False).first.fill("After the first delivery")
    page.get_by_label("Product or touchpoint").fill("Delivery")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    assert Survey.objects.get().wordings.count() == 1


def launch_a_wave(page):
    page.goto("/admin/surveys/wave/add/")
    survey = Survey.objects.get()
    page.select_option("select[name=survey]", str(survey.pk))
    page.fill("input[name=name]", "First week")
    page.get_by_label("Send at once").check()  # whatever time it is while the tests run
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("1 of 1 customer")).to_be_visible()
    preview = page.frame_locator("iframe[title='Preview of the mail']")
    expect(preview.get_by_role("link", name="10", exact=True)).to_be_visible()
    page.get_by_role("button", name="Launch: ask 1 customer").click()
    expect(page.get_by_text("How it is going")).to_be_visible()


def answer_from_the_mail(page, customer):
    page.goto("/inbox/")
    page.get_by_role("link", name=re.compile(re.escape(customer.email))).click()
    mail = page.frame_locator("iframe[title='The mail']")
    mail.get_by_role("link", name="3", exact=True).click()
    expect(page.get_by_role("radio", name="3", exact=True)).to_be_checked()
    page.wait_for_timeout(LEAST_LOOK)
    page.get_by_role("button", name="Send my answer").click()
    expect(page.get_by_role("heading", name="Your answer has arrived")).to_be_visible()
    page.get_by_role("textbox").first.fill("The parcel came a week late.")
    page.wait_for_timeout(LEAST_LOOK)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def reach_out_and_close(page):
    page.goto("/admin/surveys/outreachtask/")
    page.get_by_role("link", name=re.compile("Ines Okafor")).click()
    expect(page.get_by_text("The parcel came a week late.").first).to_be_visible()
    page.select_option("select[name=channel]", "phone")
    page.select_option("select[name=outcome] >> nth=0", "spoke")
    page.fill("textarea[name=note]", "Sent a new parcel, she is content.")
    page.get_by_role("button", name="Log the contact").click()
    expect(page.get_by_text("Phone: Spoke").first).to_be_visible()
    closing = page.locator("form", has=page.get_by_role("button", name="Close the task"))
    closing.get_by_role("button", name="Close the task").click()
    expect(page.get_by_text(re.compile("required|needs")).first).to_be_visible()
    closing.locator("select[name=root_cause]").select_option(label="Late delivery")
    closing.locator("select[name=outcome]").select_option("recovered")
    closing.locator("textarea[name=action]").fill("Sent a new parcel.")
    closing.get_by_role("button", name="Close the task").click()
    expect(page.get_by_role("heading", name="How it ended")).to_be_visible()


def read_the_report(page):
    page.goto("/admin/report/")
    apart = page.locator("dl div, li, article", has_text="Not yet due, contacted").first
    expect(apart).to_contain_text("1")
