"""What the folded counts say after all that can happen to answers, invitations and tasks: the same
as a count from nothing, and as a count by another way."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from analysis import fold
from analysis.rollups import AccountMonth, AnswerDay, AskedDay, Stale, TaskDay, Tier
from analysis.tasks import fold_rollups
from surveys.loop import answer as answering
from surveys.loop import forget, merge
from surveys.models import Account, Customer, Message, OutreachTask, Response, Tick
from tests.analysis.rows import answer, asked, at, detractor
from tests.conftest import correct, survey_of

DAY = at("2026-03-05 09:00")
OTHER_DAY = at("2026-04-06 09:00")


def rows() -> dict[str, list]:
    """Everything the rollups say, without the ids of their rows."""
    names = {
        m: [f.attname for f in m._meta.concrete_fields if f.name != "id"] for m in fold.ROLLUPS
    }
    return {
        model.__name__: sorted(model.objects.values_list(*names[model]), key=repr)
        for model in fold.ROLLUPS
    }


def folded() -> dict[str, list]:
    fold.fold_all()
    return rows()


def assert_as_from_nothing() -> None:
    found = folded()
    fold.rebuild()
    assert rows() == found


@pytest.fixture
def lively(nps, customer, account, alice, bob):
    """A detractor with a task and one more invitation, and another account with a promoter."""
    Account.objects.filter(pk=account.pk).update(region="North", revenue=250_000)
    account.refresh_from_db()
    other = Account.objects.create(name="Hillside", owner=bob, segment="Retail", region="South")
    second = Customer.objects.create(account=other, name="Ola", email="ola@hillside.example")
    task = detractor(nps, DAY, 5, customer=customer, segment="Enterprise", product="Delivery")
    asked(nps, customer, DAY)
    answer(nps, DAY, 9, invitation=asked(nps, second, DAY), customer=second, segment="Retail")
    fold.fold_all()
    return {"task": task, "customer": customer, "second": second, "other": other}


def test_each_fact_is_counted_once_on_its_day(nps, lively):
    cells = AnswerDay.objects.order_by("segment").values_list(
        "day", "segment", "product", "region", "promoters", "passives", "detractors", "without_task"
    )
    assert list(cells) == [
        (date(2026, 3, 5), "Enterprise", "Delivery", "North", 0, 0, 1, 0),
        (date(2026, 3, 5), "Retail", "", "South", 1, 0, 0, 0),
    ]
    asked_of = AskedDay.objects.order_by("segment").values_list("segment", "invited", "answered")
    assert list(asked_of) == [("Enterprise", 2, 1), ("Retail", 1, 1)]
    (tasks,) = TaskDay.objects.values_list("tier", "region", "in_time", "late", "waiting")
    assert tasks == (Tier.MIDDLE, "North", 1, 0, 0)
    accounts = AccountMonth.objects.order_by("segment").values_list("month", "promoters")
    assert list(accounts) == [(date(2026, 3, 1), 0), (date(2026, 3, 1), 1)]


def test_nothing_noted_is_nothing_to_do(nps, lively):
    assert (Stale.objects.count(), fold.fold()) == (0, 0)


def change_score(lively):
    correct(lively["task"].response, 10, "", DAY + timedelta(days=1))


def overrule(lively):
    Response.objects.filter(pk=lively["task"].response_id).update(verdict="machine")


def move_to_another_day(lively):
    Response.objects.update(answered_at=OTHER_DAY)
    OutreachTask.objects.update(started_at=OTHER_DAY, due_at=OTHER_DAY + timedelta(hours=72))


def forget_customer(lively):
    forget.forget(lively["second"], None, "asked for it", timezone.now())


def merge_customers(lively):
    merge.merge_customers(
        lively["second"], [lively["customer"]], lively["other"].owner, "one person", timezone.now()
    )


def merge_accounts(lively):
    merge.merge_accounts(
        lively["other"], [lively["customer"].account], lively["other"].owner, "one", timezone.now()
    )


def change_segment(lively):
    Account.objects.filter(pk=lively["other"].pk).update(segment="Public", region="East")
    Account.objects.filter(pk=lively["customer"].account_id).update(revenue=5_000_000)


def move_customer(lively):
    Customer.objects.filter(pk=lively["second"].pk).update(account=lively["customer"].account)


def leave_account(lively):
    Customer.objects.filter(pk=lively["second"].pk).update(account=None, segment="Own")


def reach_late(lively):
    task = lively["task"]
    OutreachTask.objects.filter(pk=task.pk).update(first_contact_at=task.due_at, owner=None)


def withdraw(lively):
    OutreachTask.objects.update(state="withdrawn", withdrawn_reason="A machine's answer")


def drop_the_task(lively):
    OutreachTask.objects.all().delete()


def hand_over_a_link(lively):
    by_link = {"sent": False, "channel": "link", "link_given_at": OTHER_DAY}
    asked(lively["task"].response.survey, lively["second"], OTHER_DAY, **by_link)


def bounce_back_to_the_queue(lively):
    Message.objects.update(state="failed", sent_at=None)


def delete_an_answer(lively):
    Response.objects.filter(band="promoter").delete()


CHANGES = [
    change_score, overrule, reach_late, move_to_another_day, hand_over_a_link,
    bounce_back_to_the_queue, change_segment, move_customer, leave_account, merge_accounts,
    merge_customers, withdraw, forget_customer, drop_the_task, delete_an_answer,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_the_counts_are_those_from_nothing(lively, change):
    before = rows()
    change(lively)
    assert folded() != before
    assert_as_from_nothing()


def test_after_all_changes_one_upon_another(lively):
    for change in CHANGES:
        change(lively)
        fold.fold(batch=2)
    assert_as_from_nothing()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("surveys_response", overrule),
        ("surveys_outreachtask", reach_late),
        ("surveys_message", bounce_back_to_the_queue),
        ("surveys_customer", move_customer),
        ("surveys_account", change_segment),
    ],
)
def test_without_its_notes_a_change_is_missed(lively, table, change):
    """The control: the comparison with a count from nothing does see it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        change(lively)
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    found = folded()
    fold.rebuild()
    assert rows() != found


def test_days_are_those_of_the_company(nps, settings):
    settings.TIME_ZONE = "Asia/Kolkata"  # midnight is at 18:30 UTC
    timezone.get_default_timezone.cache_clear()
    try:
        answer(nps, at("2026-03-05 18:29"), 9)
        answer(nps, at("2026-03-05 18:31"), 0)
        fold.fold_all()
        cells = AnswerDay.objects.order_by("day").values_list("day", "promoters", "detractors")
        assert list(cells) == [(date(2026, 3, 5), 1, 0), (date(2026, 3, 6), 0, 1)]
        assert_as_from_nothing()
    finally:
        timezone.get_default_timezone.cache_clear()


def test_a_press_is_noted_without_a_statement_of_ours(nps, customer):
    invitation = asked(nps, customer, timezone.now())
    fold.fold_all()
    answering.press(invitation, 2, timezone.now(), confirmed=True)
    assert set(Stale.objects.values_list("kind", flat=True)) >= {"answer", "invitation", "task"}
    fold.fold_all()
    assert AnswerDay.objects.aggregate(Sum("detractors"))["detractors__sum"] == 1


def test_statements_do_not_grow_with_the_answers(nps, customer, django_assert_max_num_queries):
    for _ in range(40):
        answer(nps, DAY, 9, customer=customer)
        answer(survey_of("csat", name=f"Survey {Stale.objects.count()}"), DAY, 4)
    with django_assert_max_num_queries(20):
        fold.fold()


def test_the_sweep_says_how_new_the_counts_are(nps):
    answer(nps, DAY, 9)
    before = timezone.now()
    assert fold_rollups() > 0
    assert Tick.objects.get(name="fold rollups").at >= before


def test_the_command_counts_anew(nps, lively, capsys):
    AnswerDay.objects.update(promoters=77)
    call_command("rebuild_rollups")
    assert "rows counted" in capsys.readouterr().out
    assert AnswerDay.objects.aggregate(Sum("promoters"))["promoters__sum"] == 1
