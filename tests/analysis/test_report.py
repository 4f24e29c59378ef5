from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.fold import fold_all
from analysis.measures.closure import Clock, Closure, closure
from analysis.measures.scores import Score
from analysis.measures.scores import nps as score_of
from analysis.months import Month
from analysis.report import Asked, Filters, NoTask, figures, newest_month
from surveys.models import Account, Customer, Kind, OutreachTask, Response
from tests.analysis.rows import answer, asked, at, detractor
from tests.conftest import survey_of

NOW = at("2026-03-20 12:00")
MARCH = Month(2026, 3)
QUERIES = 6


def march(filters=None, now=NOW):
    fold_all()
    return figures(filters or Filters(month=MARCH), now).chosen


def test_each_group_of_the_closure_rate_is_counted(nps):
    long_ago, lately = at("2026-03-10 09:00"), NOW - timedelta(hours=10)
    detractor(nps, long_ago, contacted=2)
    detractor(nps, long_ago, contacted=71)
    detractor(nps, long_ago, contacted=73)
    detractor(nps, long_ago)
    detractor(nps, lately, contacted=1)
    detractor(nps, lately)
    detractor(nps, lately)
    withdrawn = detractor(nps, long_ago)
    OutreachTask.objects.filter(pk=withdrawn.pk).update(
        state=OutreachTask.State.WITHDRAWN, withdrawn_reason="A machine's answer"
    )
    assert march().closure == Closure(
        contacted_in_time=2,
        late=1,
        overdue=1,
        not_yet_due_contacted=1,
        not_yet_due_open=2,
        withdrawn=1,
    )


@pytest.mark.parametrize("cause", ["contact_wish", "loyalty_drop"])
def test_tasks_of_others_than_detractors_are_not_in_the_rate(nps, cause):
    task = detractor(nps, at("2026-03-10 09:00"), contacted=2)
    assert march().closure.n == 1  # the control
    OutreachTask.objects.filter(pk=task.pk).update(cause=cause)
    assert march().closure == Closure()


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_sql_and_python_agree_at_every_edge(nps, seconds):
    nudge = timedelta(seconds=seconds)
    started = at("2026-03-10 09:00")
    tasks = [detractor(nps, started, contacted) for contacted in (None, 0, 72, 80)]
    for task in tasks:
        if task.first_contact_at:
            task.first_contact_at += nudge
            task.save()
    clocks = [Clock(task.started_at, task.due_at, task.first_contact_at) for task in tasks]
    for now in (tasks[0].due_at + nudge, started + timedelta(hours=80) + nudge, NOW):
        assert march(now=now).closure == closure(clocks, now)


def test_the_cohort_is_the_month_in_which_the_72_hours_began(nps):
    task = detractor(nps, at("2026-02-27 09:00"), contacted=10)
    OutreachTask.objects.update(
        started_at=at("2026-03-02 09:00"), due_at=at("2026-03-05 09:00")
    )  # a colleague overruled a machine's verdict
    assert task.response.answered_at.month == 2
    assert march().closure.n == 1


def test_detractors_without_a_task_are_counted_apart(nps):
    day = at("2026-03-05 09:00")
    answer(nps, day, 2)
    answer(nps, day, 3)
    answer(nps, day, 3, source=Response.Source.ANONYMOUS)
    answer(nps, day, 9)
    answer(nps, day, 1, verdict=Response.Verdict.MACHINE)
    assert march().no_task == NoTask(imported=2, anonymous=1)
    assert march().closure == Closure()


def test_months_are_cut_at_the_midnight_of_the_company(nps, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    answer(nps, at("2026-02-28 22:59"), 9)
    answer(nps, at("2026-02-28 23:00"), 9)
    answer(nps, at("2026-03-31 21:59"), 9)
    answer(nps, at("2026-03-31 22:00"), 9)
    try:
        assert march().surveys[0].bands == (2, 0, 0)
    finally:
        timezone.get_default_timezone.cache_clear()


def test_a_score_counts_only_answers_with_a_score_given_by_a_person(nps):
    day = at("2026-03-05 09:00")
    for score in [10] * 6 + [8] * 2 + [0] * 2:
        answer(nps, day, score)
    answer(nps, day, comment="A comment without a score")
    answer(nps, day, 0, verdict=Response.Verdict.MACHINE)
    row = march().surveys[0]
    assert row.bands == (6, 2, 2)
    assert (row.score.value, row.score.n) == (40.0, 10)


def test_a_score_of_fewer_than_ten_answers_shows_its_n_alone(nps):
    for _ in range(9):
        answer(nps, at("2026-03-05 09:00"), 10)
    assert march().surveys[0].score == Score(None, None, None, 9)


def test_the_response_rate_follows_the_invitations_of_the_month(nps, customer):
    invitation = asked(nps, customer, at("2026-03-30 09:00"))
    answer(nps, at("2026-04-02 09:00"), 9, invitation=invitation)
    asked(nps, customer, at("2026-03-30 09:00"))
    asked(nps, customer, at("2026-03-30 09:00"), sent=False)
    machine = asked(nps, customer, at("2026-03-30 09:00"))
    answer(nps, NOW, 9, invitation=machine, verdict=Response.Verdict.MACHINE)
    doubtful = asked(nps, customer, at("2026-03-30 09:00"), sent=False)
    answer(nps, NOW, 9, invitation=doubtful)  # so it had arrived
    answer(nps, at("2026-03-30 09:00"), 9)  # belongs to no invitation
    row = march().surveys[0]
    assert row.asked == Asked(invited=4, answered=2)
    assert march().response_rate.n == 4


def test_links_are_invitations_from_the_day_they_are_handed_over(nps, customer):
    day = at("2026-03-05 09:00")
    by_link = {"sent": False, "channel": "link"}
    asked(nps, customer, day)
    asked(nps, customer, day, **by_link)  # planned, and given to nobody yet
    asked(nps, customer, day, link_given_at=day, **by_link)
    answer(nps, NOW, 9, invitation=asked(nps, customer, day, link_given_at=day, **by_link))
    asked(nps, customer, day, link_given_at=day)  # mailed, and handed over too: one invitation
    asked(nps, customer, day, sent=False, link_given_at=day)  # the mail failed, the link arrived
    row = march().surveys[0]
    assert row.asked == Asked(invited=5, answered=1, by_link=2, by_link_answered=1)
    assert (row.asked.rate.n, row.asked.link_rate.value) == (5, 0.5)
    assert march().response_rate == row.response_rate


def test_anonymous_answers_stand_apart(nps, customer):
    day, by_open_link = at("2026-03-05 09:00"), {"source": Response.Source.ANONYMOUS}
    answer(nps, day, 9, invitation=asked(nps, customer, day))
    for score in [0] * 10:
        answer(nps, day, score, **by_open_link)
    answer(nps, day, 10, verdict=Response.Verdict.MACHINE, **by_open_link)
    row = march().surveys[0]
    assert (row.bands, row.anonymous) == ((1, 0, 0), (0, 0, 10))
    assert (row.score.n, row.anonymous_score.value) == (1, -100.0)
    assert row.asked == Asked(invited=1, answered=1)
    assert march().closure == Closure()
    assert march().no_task == NoTask(anonymous=10)


def test_a_survey_that_only_open_links_ask_is_shown(nps):
    answer(nps, at("2026-03-05 09:00"), 9, source=Response.Source.ANONYMOUS)
    assert march().surveys[0].anonymous == (1, 0, 0)


def test_filters_narrow_every_figure(nps, customer):
    other = survey_of(Kind.CSAT, name="Support")
    day = at("2026-03-05 09:00")
    detractor(nps, day, contacted=1, product="App", segment="Retail")
    detractor(nps, day, product="Web", segment="Retail")
    detractor(other, day, score=1, product="App", segment="Public")
    answer(nps, day, 2, product="App", segment="Public")

    def seen(**wanted):
        chosen = march(Filters(month=MARCH, **wanted))
        scored = sum(sum(row.bands) for row in chosen.surveys)
        return chosen.closure.n, chosen.no_task.imported, scored

    assert seen() == (3, 1, 4)
    assert seen(survey=nps.pk) == (2, 1, 3)
    assert seen(product="App") == (2, 1, 3)
    assert seen(segment="Retail") == (2, 0, 2)
    assert seen(survey=other.pk, segment="Retail") == (0, 0, 0)


def test_who_has_not_answered_counts_in_the_segment_of_today(nps):
    account = Account.objects.create(name="Mill", segment="Retail")
    own = Customer.objects.create(name="A", account=account, segment="Public")
    heir = Customer.objects.create(name="B", account=account)
    day = at("2026-03-05 09:00")
    asked(nps, own, day)
    asked(nps, heir, day)
    answer(nps, day, 9, invitation=asked(nps, heir, day), segment="Then")

    def sent(segment):
        return [row.asked.invited for row in march(Filters(month=MARCH, segment=segment)).surveys]

    assert sent("Public") == [1]
    assert sent("Retail") == [1]
    assert sent("Then") == [1]
    assert sent("Nobody") == []


def test_twelve_months_end_with_the_chosen_one_and_hold_the_same_surveys(nps):
    answer(nps, at("2025-04-15 09:00"), 9)
    answer(nps, at("2025-03-31 09:00"), 9)  # a day too early
    fold_all()
    found = figures(Filters(month=MARCH), NOW)
    assert [str(row.month) for row in found.months][::11] == ["2025-04", "2026-03"]
    assert [row.surveys[0].bands[0] for row in found.months] == [1] + [0] * 11
    assert found.surveys == [nps]


def test_without_a_month_the_newest_with_elapsed_hours_is_shown(nps):
    assert newest_month(at("2026-03-03 23:59")) == Month(2026, 2)
    assert newest_month(at("2026-03-04 00:00")) == MARCH
    assert figures(Filters(), NOW).chosen.month == MARCH


def test_an_empty_house_has_empty_figures(db):
    empty = march()
    assert (empty.closure, empty.no_task, empty.surveys) == (Closure(), NoTask(), ())
    assert empty.response_rate == Score(None, None, None, 0)


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow_with_rows_months_or_surveys(rows, db, django_assert_num_queries):
    for number in range(rows):
        survey = survey_of(Kind.NPS, name=f"Survey {number}")
        for month in range(rows):
            day = at("2026-03-05 09:00") - timedelta(days=31 * month)
            detractor(survey, day)
            answer(survey, day, 2)
    fold_all()
    with django_assert_num_queries(QUERIES):
        found = figures(Filters(month=MARCH), NOW)
        assert len(found.chosen.surveys) == rows


def test_answers_of_one_account_widen_the_interval(nps, account):
    people = [Customer.objects.create(account=account, name=f"C{n}") for n in range(30)]
    for number, person in enumerate(people):
        answer(nps, at("2026-03-05 09:00"), 0 if number % 3 else 10, customer=person)
    together = march().surveys[0].score
    Customer.objects.update(account=None)
    apart = march().surveys[0].score
    assert (together.value, together.n) == (apart.value, apart.n)
    assert (apart.low, apart.high) == (score_of(10, 0, 20).low, score_of(10, 0, 20).high)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_what_few_said_is_no_difference_of_two_reports(nps):
    """The total of 62 less the 55 would be the 7."""
    day = at("2026-03-05 09:00")
    for segment, n in (("Large", 55), ("Small", 7)):
        for _ in range(n):
            answer(nps, day, 9, segment=segment, product="Delivery")

    def shown(**filters):
        return march(Filters(month=MARCH, **filters)).surveys[0].score

    assert shown().n == 62
    assert shown().value == 100.0
    assert shown(segment="Small") == Score(None, None, None, 7)
    assert shown(segment="Large") == Score(None, None, None, 55)
    assert shown(product="Delivery").value == 100.0  # the control: nothing to differ from
    for _ in range(3):
        answer(nps, day, 9, segment="Small", product="Delivery")
    assert (shown(segment="Small").value, shown(segment="Large").value) == (100.0, 100.0)


def test_regions_are_those_of_the_accounts(nps, customer):
    Account.objects.update(region="North")
    detractor(nps, at("2026-03-05 09:00"), 5, customer=customer)
    north, south = (march(Filters(month=MARCH, region=name)) for name in ("North", "South"))
    assert (north.closure.n, north.surveys[0].asked) == (1, Asked(1, 1))
    assert (south.closure.n, south.surveys) == (0, ())
