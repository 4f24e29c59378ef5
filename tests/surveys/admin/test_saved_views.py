"""Views of the queue that are kept under a name, for oneself or for the team."""

import pytest
from django.urls import reverse

from surveys.models import AuditEntry, Role, SavedView
from surveys.models.saved_views import MOST
from tests.conftest import colleague
from tests.surveys.admin.conftest import names, queue

LIST = reverse("admin:surveys_outreachtask_changelist")
KEEP = reverse("admin:surveys_outreachtask_keep")
LET_GO = reverse("admin:surveys_outreachtask_let_go")


def keep(client, name="Big ones", back="queue=open&left=overdue", **more):
    return client.post(KEEP, {"name": name, "back": back, **more}, follow=True)


def seen_by(client) -> list[str]:
    return [str(view) for view in queue(client).context["saved_views"]]


def test_a_view_leads_back_to_its_tab_and_filters(signed_in, opened, alice):
    opened(80, "Over Olu")
    opened(10, "Late Lee")
    client = signed_in(alice)
    page = keep(client)
    assert "The view “Big ones” is saved." in page.content.decode()
    view = SavedView.objects.get()
    assert (view.user, view.query) == (alice, "left=overdue&queue=open")
    assert f'href="?{view.query.replace("&", "&amp;")}"' in queue(client).content.decode()
    assert names(client.get(f"{LIST}?{view.query}")) == ["Over Olu"]


def test_where_one_stands_is_marked_whatever_the_order_of_the_parameters(signed_in, alice):
    client = signed_in(alice)
    keep(client)
    said = client.get(f"{LIST}?queue=open&left=overdue").content.decode()
    assert '<li class="active">' in said
    assert '<li class="active">' not in queue(client, queue="open").content.decode()


def test_words_of_a_search_are_not_kept_nor_anything_unknown(signed_in, alice):
    keep(signed_in(alice), back="queue=open&q=Ines+Okafor&p=3&o=2&user__password=x&sleep=asleep")
    assert SavedView.objects.get().query == "queue=open&sleep=asleep"


def test_a_shared_view_is_seen_by_the_team_and_by_nobody_else(signed_in, alice, lead, bob, manager):
    keep(signed_in(alice), is_shared="on")
    keep(signed_in(alice), name="My own")
    assert seen_by(signed_in(alice)) == ["Big ones", "My own"]
    assert seen_by(signed_in(lead)) == ["Big ones"]
    assert seen_by(signed_in(bob)) == seen_by(signed_in(manager)) == []
    assert "by Alice" in queue(signed_in(lead)).content.decode()


def test_those_without_a_team_share_with_nobody(signed_in, manager, administrator):
    keep(signed_in(manager), is_shared="on")
    assert seen_by(signed_in(administrator)) == []
    assert "Share with my team" not in queue(signed_in(manager)).content.decode()


def test_views_of_who_has_left_are_gone(signed_in, alice, lead):
    keep(signed_in(alice), is_shared="on")
    alice.is_active = False
    alice.save()
    assert seen_by(signed_in(lead)) == []


def test_a_view_of_the_same_name_is_replaced(signed_in, alice):
    client = signed_in(alice)
    keep(client)
    keep(client, back="queue=closed")
    assert SavedView.objects.get().query == "queue=closed"


def test_only_ones_own_can_be_removed(signed_in, alice, lead):
    keep(signed_in(alice), is_shared="on")
    view = SavedView.objects.get()
    signed_in(lead).post(LET_GO, {"view": view.pk})
    assert SavedView.objects.count() == 1
    assert "Remove the view" not in queue(signed_in(lead)).content.decode()
    page = signed_in(alice).post(LET_GO, {"view": view.pk, "back": "queue=open"})
    assert page.url == f"{LIST}?queue=open"
    assert SavedView.objects.count() == 0
    signed_in(alice).post(LET_GO, {"view": "x"})


def test_each_change_leaves_an_entry(signed_in, alice):
    client = signed_in(alice)
    keep(client)
    keep(client, is_shared="on")
    client.post(LET_GO, {"view": SavedView.objects.get().pk})
    entries = AuditEntry.objects.filter(noun="savedview").order_by("pk")
    assert [(entry.verb, entry.actor) for entry in entries] == [
        ("add", alice), ("change", alice), ("delete", alice),
    ]  # fmt: skip
    added, changed, deleted = entries
    assert added.after["query"] == "left=overdue&queue=open"
    assert (changed.before["is_shared"], changed.after["is_shared"]) == (False, True)
    assert deleted.before == changed.after


@pytest.mark.parametrize("name", ["", "   ", "x" * 41])
def test_a_view_needs_a_name_of_some_length(signed_in, alice, name):
    keep(signed_in(alice), name=name)
    assert SavedView.objects.count() == 0


def test_there_is_an_end_to_how_many_one_keeps(signed_in, alice):
    SavedView.objects.bulk_create(
        SavedView(user=alice, name=f"View {n}", query="") for n in range(MOST)
    )
    said = keep(signed_in(alice)).content.decode()
    assert f"You have {MOST} views already. Remove one first." in said
    keep(signed_in(alice), name="View 1", back="queue=all")  # replacing one is no more
    assert SavedView.objects.get(name="View 1").query == "queue=all"
    assert SavedView.objects.count() == MOST


def test_the_product_team_keeps_none(signed_in, product):
    client = signed_in(product)
    assert client.post(KEEP, {"name": "x"}).status_code == 403
    assert client.post(LET_GO, {"view": 1}).status_code == 403


def test_three_views_cost_as_many_queries_as_one(signed_in, alice, django_assert_max_num_queries):
    other = colleague("ada", Role.ACCOUNT_MANAGER, alice.team)
    client = signed_in(alice)
    costs = []
    for n in range(3):
        SavedView.objects.create(user=other, name=f"View {n}", query="", is_shared=True)
        with django_assert_max_num_queries(99) as asked:
            assert len(seen_by(client)) == n + 1
        costs.append(len(asked))
    assert costs == [costs[0]] * 3
