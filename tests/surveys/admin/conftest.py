"""Alice's tasks, and a way to sign anybody in."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from surveys.loop import answer, ask
from surveys.models import Account, Customer, OutreachTask


@pytest.fixture
def now():
    """The admin shows the time left until a deadline, so here the story happens today."""
    return timezone.now()


@pytest.fixture
def signed_in():
    def sign_in(user, **options) -> Client:
        client = Client(**options)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def opened(nps, account, now):
    """Opens a task: a detractor's answer, so many hours ago."""

    def open_one(hours: float, name: str = "Ines Okafor", to: Account = account, **more):
        email = f"{name.split()[0].lower()}@lakeside.example"
        customer, _ = Customer.objects.get_or_create(email=email, name=name, account=to)
        then = now - timedelta(hours=hours)
        invitation = ask.invite(nps, [customer], f"test:{name}", then)[0]
        comment = more.get("comment", "It never came.")
        return answer.give(invitation, more.get("score", 2), comment, then)[0].task

    return open_one


@pytest.fixture
def task(opened) -> OutreachTask:
    return opened(10)


@pytest.fixture
def bobs_account(bob):
    return Account.objects.create(name="Foothill Foods", owner=bob, segment="Retail")


def queue(client, **query):
    return client.get(reverse("admin:surveys_outreachtask_changelist"), query)


def names(page) -> list[str]:
    """The customers of a queue, in the order shown."""
    return [task.customer.name for task in page.context["cl"].result_list]


def page_of(task) -> str:
    return reverse("admin:surveys_outreachtask_change", args=[task.pk])


def do(client, task, action, /, **data):
    return client.post(reverse(f"admin:surveys_outreachtask_{action}", args=[task.pk]), data)
