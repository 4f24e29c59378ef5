"""Bob of another team sees nothing of Alice's, by whichever way he tries.

Each attempt is made by Alice too, and there it works: the positive control.
"""

import json

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from surveys.admin.base import Admin
from surveys.models import Account, Customer, Invitation, Message, OutreachTask, Response
from tests.surveys.admin.conftest import do, names, page_of, queue

PRIVATE = ("Ines Okafor", "ines@lakeside.example", "Lakeside Mills", "It never came.")


def leaks(response) -> list[str]:
    return [words for words in PRIVATE if words in response.content.decode()]


@pytest.mark.parametrize("noun", ["outreachtask", "response", "invitation", "customer", "account"])
@pytest.mark.parametrize("view", ["change", "history"])
def test_pages_of_rows_out_of_sight_do_not_exist(signed_in, task, alice, bob, noun, view):
    row = {
        "outreachtask": task,
        "response": task.response,
        "invitation": task.response.invitation,
        "customer": task.customer,
        "account": task.customer.account,
    }[noun]
    address = reverse(f"admin:surveys_{noun}_{view}", args=[row.pk])
    said = signed_in(bob).get(address)
    assert (said.status_code, leaks(said)) == (404, [])
    assert signed_in(alice).get(address).status_code == 200


@pytest.mark.parametrize("noun", ["outreachtask", "response", "invitation", "customer", "account"])
@pytest.mark.parametrize("query", ["", "?q=Okafor", "?q=Lakeside", "?all=", "?o=1"])
def test_lists_searches_and_sorts_stay_within_sight(signed_in, task, alice, bob, noun, query):
    tab = ("&" if query else "?") + "queue=all" if noun == "outreachtask" else ""
    address = reverse(f"admin:surveys_{noun}_changelist") + query + tab
    assert leaks(signed_in(bob).get(address)) == []
    finds_it = noun != "account" or query != "?q=Okafor"  # an account is not found by its people
    assert (signed_in(alice).get(address).context["cl"].result_count == 1) == finds_it


@pytest.mark.parametrize(
    ("noun", "lookup"),
    [
        ("outreachtask", "customer__email__startswith"),
        ("outreachtask", "owner__password__startswith"),
        ("outreachtask", "response__comment__contains"),
        ("response", "customer__name__startswith"),
        ("customer", "account__owner__email"),
        ("customer", "email__startswith"),
        ("account", "revenue__gte"),
        ("absence", "user__password__startswith"),
    ],
)
def test_only_the_filters_on_the_page_are_asked(signed_in, task, alice, bob, noun, lookup):
    address = reverse(f"admin:surveys_{noun}_changelist")
    for user in (alice, bob):
        assert signed_in(user).get(address, {lookup: "1"}).status_code == 400


def test_an_administrator_cannot_guess_passwords_by_filter_either(signed_in, administrator):
    client = signed_in(administrator)
    address = reverse("admin:surveys_user_changelist")
    assert client.get(address, {"password__startswith": "p"}).status_code == 400
    assert client.get(address, {"role": "auditor"}).status_code == 200


def test_filters_offer_and_find_only_what_is_within_sight(
    signed_in, task, opened, bobs_account, alice, bob
):
    opened(5, "Bert Boll", to=bobs_account, comment="Too dear.")
    client = signed_in(bob)
    page = queue(client, queue="all")
    [segments] = [spec for spec in page.context["cl"].filter_specs if spec.title == "segment"]
    offered = str(segments.lookup_choices)
    assert (offered, leaks(page)) == ("[('Retail', 'Retail')]", [])
    assert names(queue(client, queue="all", owner=alice.pk)) == []
    assert names(queue(client, queue="all", response_segment="Enterprise")) == []
    assert names(queue(signed_in(alice), queue="all", owner=alice.pk)) == ["Ines Okafor"]


@pytest.mark.parametrize("action", ["contact", "close", "take", "assign", "withdraw"])
def test_no_action_reaches_a_task_out_of_sight(signed_in, task, bob, action):
    data = {"channel": "phone", "outcome": "spoke", "reason": "No.", "version": task.version}
    before = OutreachTask.objects.values().get(pk=task.pk)
    assert do(signed_in(bob), task, action, **data).status_code == 404
    assert OutreachTask.objects.values().get(pk=task.pk) == before


# Each calls one verb for each row, with its audit entry; none deletes or changes rows wholesale.
ALLOWED_ACTIONS = {
    Message: ("mark_arrived", "send_again", "give_up"),
    Account: ("merge_chosen",),
    Customer: ("merge_chosen",),
    OutreachTask: ("assign_chosen",),
}


def test_bulk_actions_and_exports_do_not_exist(signed_in, task, bob, administrator):
    assert queue(signed_in(bob), queue="all").context["action_form"] is None
    offered = queue(signed_in(administrator), queue="all").context["action_form"]
    assert [name for name, _ in offered.fields["action"].choices if name] == ["assign_chosen"]
    for noun, page in admin.site._registry.items():
        if isinstance(page, Admin):
            assert page.actions == ALLOWED_ACTIONS.get(noun), noun


def autocomplete(client, model, field, term=""):
    names = {"app_label": "surveys", "model_name": model, "field_name": field, "term": term}
    return client.get(reverse("admin:autocomplete"), names)


def test_autocomplete_offers_the_same_rows_as_the_list(signed_in, task, alice, bob, manager):
    assert autocomplete(signed_in(bob), "customer", "account").status_code == 200
    found = {
        user: [row["text"] for row in json.loads(
            autocomplete(signed_in(user), "customer", "account", "Lake").content)["results"]]
        for user in (alice, bob, manager)
    }  # fmt: skip
    assert found == {alice: ["Lakeside Mills"], bob: [], manager: ["Lakeside Mills"]}


def test_choices_of_foreign_keys_end_at_the_horizon(rf, task, bobs_account, alice, bob):
    page = admin.site.get_model_admin(Customer)
    field = Customer._meta.get_field("account")
    offered = {}
    for user in (alice, bob):
        request = rf.get("/")
        request.user = user
        offered[user] = [account.name for account in page.choices_for(field, request)]
    assert offered == {alice: ["Lakeside Mills"], bob: ["Foothill Foods"]}


def test_an_absence_does_not_open_anybody_elses_rows(signed_in, task, alice, bob):
    """Naming oneself the cover of a colleague would show the colleague's customers."""
    today = timezone.localdate()
    data = {"user": alice.pk, "cover": bob.pk, "first_day": today, "last_day": today}
    said = signed_in(bob).post(reverse("admin:surveys_absence_add"), data)
    assert said.status_code == 200  # the form again, with an error
    assert "Select a valid choice" in said.content.decode()
    assert leaks(queue(signed_in(bob), queue="all")) == []
    said = signed_in(alice).post(reverse("admin:surveys_absence_add"), data)
    assert said.status_code == 302
    assert leaks(queue(signed_in(bob), queue="all")) == list(PRIVATE[:1] + PRIVATE[2:])


def test_the_first_page_counts_and_names_only_what_is_within_sight(signed_in, task, alice, bob):
    seen = {}
    for user in (alice, bob):
        page = signed_in(user).get(reverse("admin:index"))
        seen[user] = (sum(figure["count"] for figure in page.context["figures"]), leaks(page))
    assert seen[bob] == (0, [])
    assert seen[alice] == (2, [PRIVATE[0], *PRIVATE[2:]])  # under “mine” and under “all open”


def test_other_open_tasks_of_the_account_are_within_sight(signed_in, task, opened, lead, bob):
    """A task handed to Bob shows him that task, and not the account's others."""
    other = opened(5, "Other Odd")
    OutreachTask.objects.filter(pk=other.pk).update(owner=bob)
    page = signed_in(bob).get(page_of(other))
    assert page.context["siblings"] == []
    assert [t.pk for t in signed_in(lead).get(page_of(other)).context["siblings"]] == [task.pk]


def test_a_popup_and_a_to_field_show_no_more(signed_in, task, bob):
    address = reverse("admin:surveys_customer_changelist")
    assert leaks(signed_in(bob).get(address, {"_popup": "1"})) == []
    assert signed_in(bob).get(address, {"_popup": "1", "_to_field": "email"}).status_code == 400


def test_the_search_of_the_theme_knows_pages_and_no_rows(signed_in, task, alice, bob):
    for user in (alice, bob):
        said = signed_in(user).get(reverse("admin:search"), {"s": "Lakeside"})
        assert (said.status_code, leaks(said)) == (200, [])


def test_the_models_behind_these_pages_all_draw_the_line():
    for noun in (Account, Customer, Invitation, OutreachTask, Response):
        assert hasattr(noun.objects.all(), "visible_to")
