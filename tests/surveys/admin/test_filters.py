"""Every list that has to do with answers can be narrowed down to a product or touchpoint."""

import pytest
from django.contrib import admin
from django.urls import reverse

from analysis.models import Theme
from surveys.loop import ask
from surveys.models import (
    Event,
    InboundMail,
    Invitation,
    Message,
    OutreachTask,
    Response,
    Survey,
    Trigger,
    Wave,
)

NOUNS = [Event, InboundMail, Invitation, Message, OutreachTask, Response, Survey, Theme, Trigger,
         Wave]  # fmt: skip
PRODUCT = "product or touchpoint"


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_the_list_offers_the_filter(noun):
    titles = [getattr(one, "title", "") for one in admin.site._registry[noun].list_filter]
    assert PRODUCT in titles


def names(client, noun, **filters) -> list[str]:
    page = client.get(reverse(f"admin:surveys_{noun}_changelist"), filters)
    return sorted(str(row) for row in page.context["cl"].result_list)


def test_a_wave_without_a_product_of_its_own_has_its_surveys(signed_in, manager, nps):
    Wave.objects.create(survey=nps, name="Own", product="Support")
    Wave.objects.create(survey=nps, name="Inherited")
    client = signed_in(manager)
    assert names(client, "wave", product_asked="Delivery") == ["Inherited"]
    assert names(client, "wave", product_asked="Support") == ["Own"]
    assert names(client, "wave") == ["Inherited", "Own"]


def test_mails_are_found_by_what_they_ask_about(signed_in, manager, nps, customer, now):
    ask.invite(nps, [customer], "event:1", now, product="Support")
    client = signed_in(manager)
    assert len(names(client, "message", invitation_product="Support")) == 1
    assert names(client, "message", invitation_product="Delivery") == []
