"""Who forgets a customer sees before what goes and what stays, and says who they are."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from surveys.models import Customer, Erasure, OutreachTask

PASSWORD = "a-long-password"


def page_of(customer) -> str:
    return reverse("admin:surveys_customer_forget", args=[customer.pk])


def send(client, customer, reason="Letter of 3 March", password=PASSWORD):
    return client.post(page_of(customer), {"reason": reason, "password": password})


@pytest.fixture
def client(signed_in, administrator):
    return signed_in(administrator)


def test_the_page_says_what_goes_and_what_stays(client, task):
    page = client.get(page_of(task.customer)).content.decode()
    assert "Every comment of 1 answer and of its earlier versions" in page
    assert "1 open task ends now; one whose 72 hours are over stays a miss." in page
    assert "1 mail that waits will not be sent." in page
    assert "Scores with their month" in page
    assert Customer.objects.get().name == "Ines Okafor"


def test_with_reason_and_password_the_customer_is_forgotten(client, task, administrator):
    done = send(client, task.customer)
    assert (done.status_code, done.url) == (302, reverse("admin:surveys_erasure_changelist"))
    erasure = Erasure.objects.get()
    assert (erasure.by, erasure.reason) == (administrator, "Letter of 3 March")
    assert Customer.objects.get().name == ""
    assert OutreachTask.objects.get().state == "withdrawn"
    assert [str(said) for said in get_messages(done.wsgi_request)] == [
        "The customer is forgotten. What was counted stays counted."
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "guessed"}, "This is not your password."),
        ({"password": ""}, "This field is required."),
        ({"reason": " "}, "This field is required."),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_nothing_is_forgotten(client, task, wrong, said):
    page = send(client, task.customer, **wrong)
    assert (page.status_code, said in page.content.decode()) == (422, True)
    assert PASSWORD not in page.content.decode()
    assert not Erasure.objects.exists()


def test_guessing_the_password_is_stopped_as_at_the_log_in(client, task):
    for _ in range(5):
        send(client, task.customer, password="guessed")
    send(client, task.customer)
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("role", ["manager", "lead", "alice", "auditor", "product"])
def test_only_administrators_may(request, signed_in, task, role):
    client = signed_in(request.getfixturevalue(role))
    assert client.get(page_of(task.customer)).status_code == 403
    assert send(client, task.customer).status_code == 403
    assert not Erasure.objects.exists()


def test_only_they_are_offered_it(client, signed_in, manager, task):
    change = reverse("admin:surveys_customer_change", args=[task.customer_id])
    assert page_of(task.customer) in client.get(change).content.decode()
    assert page_of(task.customer) not in signed_in(manager).get(change).content.decode()


def test_a_forgotten_customer_cannot_be_looked_at(client, task):
    send(client, task.customer)
    change = reverse("admin:surveys_customer_change", args=[task.customer_id])
    assert [client.get(url).status_code for url in (change, page_of(task.customer))] == [404, 404]


def test_auditors_read_when_by_whom_and_why(client, signed_in, auditor, task):
    send(client, task.customer)
    page = signed_in(auditor).get(reverse("admin:surveys_erasure_changelist"))
    for said in ("Letter of 3 March", "Administrator", "A colleague"):
        assert said in page.content.decode()
    assert "Ines" not in page.content.decode()


def test_the_pages_of_what_is_left_open(client, task):
    """Lists, a task and an answer of somebody who is nobody any more."""
    send(client, task.customer)
    rows = {"outreachtask": task.pk, "response": task.response_id}
    for noun, pk in rows.items():
        assert client.get(reverse(f"admin:surveys_{noun}_change", args=[pk])).status_code == 200
    for noun in (*rows, "invitation", "message", "auditentry", "customer"):
        assert client.get(reverse(f"admin:surveys_{noun}_changelist")).status_code == 200
    entry = reverse("admin:surveys_outreachtask_history", args=[task.pk])
    assert client.get(entry).status_code == 200


def test_query_counts_do_not_grow(client, opened, django_assert_num_queries):
    url = reverse("admin:surveys_erasure_changelist")
    send(client, opened(1).customer)
    client.get(url)
    with django_assert_num_queries(5):
        client.get(url)
    for name in ("Bo Lind", "Cy Marsh"):
        send(client, opened(1, name=name).customer)
    with django_assert_num_queries(5):
        client.get(url)
