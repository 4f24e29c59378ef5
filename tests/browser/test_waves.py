"""A wave's page keeps its figures fresh by itself, under the strict content policy."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from surveys.loop import ask
from surveys.models import Message, Wave

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.urls")]


def test_the_figures_follow_what_happens(page, sign_in, manager, nps, customer):
    wave = Wave.objects.create(survey=nps, name="Spring", at_once=True)
    ask.launch(wave, manager, timezone.now())
    sign_in(manager)
    page.goto(f"/admin/surveys/wave/{wave.pk}/change/")
    expect(page.get_by_text("0 of 1 customers decided on.")).to_be_visible()
    ask.plan(timezone.now())
    expect(figure(page, "Waiting to be sent")).to_have_text("1", timeout=15_000)
    Message.objects.update(state="sent", sent_at=timezone.now())
    expect(figure(page, "Sent")).to_have_text("1", timeout=15_000)
    expect(page.get_by_text("decided on")).to_have_count(0)


def figure(page, name: str):
    return page.locator(".voc-counts > div", has=page.get_by_text(name, exact=True)).locator("dd")
