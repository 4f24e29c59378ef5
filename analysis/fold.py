"""Fold: take the notes of what has changed, and count anew the days, months and accounts that they
concern.

Notes and counts change in one transaction, so a worker that dies has done nothing, and what was
noted meanwhile is folded next time: to count twice changes nothing. One worker folds at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Max, Min, Model, Q

from analysis.months import Month
from analysis.recipes import (
    ACCOUNT_MONTH,
    ACCOUNTS_OF_MONTH,
    ANSWER_DAY,
    ASKED_DAY,
    TASK_DAY,
    Cell,
    Recipe,
    count_anew,
)
from analysis.rollups import AccountMonth, AnswerDay, AskedDay, Stale, TaskDay
from surveys.models import Customer, Invitation, OutreachTask, Response, Survey
from surveys.models.urgency import midnight, today

BATCH = 5_000  # notes of one transaction
LOCK = 7_266_001  # whoever holds it folds
ROLLUPS = (AnswerDay, AskedDay, TaskDay, AccountMonth)
ALL = 0  # surveys, accounts
Kind = Stale.Kind

TAKE = """
DELETE FROM analysis_stale WHERE id IN (
    SELECT id FROM analysis_stale ORDER BY id LIMIT %s
) RETURNING kind, survey_id, at, ref
"""
# The planner cannot know that a cell is one day of years: it would read whole tables for a few
# cells, and compare each row with each cell for all of them.
BY_THE_INDEX = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
HANGING = """
INSERT INTO analysis_stale (kind, survey_id, at, ref)
SELECT DISTINCT 'answer', survey_id, date_bin('15 minutes', answered_at, 'epoch'), customer_id
FROM surveys_response WHERE customer_id = ANY(%(customers)s);
INSERT INTO analysis_stale (kind, survey_id, at)
SELECT DISTINCT 'asked', survey_id, date_bin('15 minutes', created_at, 'epoch')
FROM surveys_invitation WHERE customer_id = ANY(%(customers)s) AND decision = 'ask';
INSERT INTO analysis_stale (kind, at)
SELECT DISTINCT 'task', date_bin('15 minutes', started_at, 'epoch')
FROM surveys_outreachtask WHERE customer_id = ANY(%(customers)s)
"""


class Note(NamedTuple):
    kind: str
    survey: int | None
    at: datetime | None
    ref: int | None


Cells = dict[Recipe, set[Cell]]


@transaction.atomic
def fold(batch: int = BATCH) -> int:
    """Fold up to `batch` notes, the oldest first; returns how many. 0 when there are none, and
    where another worker folds at this moment."""
    if not _alone("pg_try_advisory_xact_lock"):
        return 0
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [batch])
        notes = [Note(*row) for row in cursor.fetchall()]
    by_kind = defaultdict(list)
    for note in notes:
        by_kind[note.kind].append(note)
    _note_what_hangs_on(by_kind)
    for recipe, cells in _cells(by_kind).items():
        count_anew(recipe, cells)
    return len(notes)


def fold_all() -> int:
    """Until nothing is noted, or another worker is at it. Returns how many notes."""
    done = 0
    while taken := fold():
        done += taken
    return done


@transaction.atomic
def rebuild() -> int:
    """Forget all counts and count anew, while readers see those before and writers go on. Returns
    how many rows the rollups hold."""
    _alone("pg_advisory_xact_lock")
    Stale.objects.all().delete()
    for rollup in ROLLUPS:
        rollup.objects.all().delete()
    surveys = list(Survey.objects.values_list("pk", flat=True))
    answered, asked = _days(Response, "answered_at"), _days(Invitation, "created_at")
    months = sorted({day.replace(day=1) for day in answered})
    count_anew(ANSWER_DAY, [_day_cell(survey, day) for survey in surveys for day in answered])
    count_anew(ASKED_DAY, [_day_cell(survey, day) for survey in surveys for day in asked])
    count_anew(TASK_DAY, [_day_cell(ALL, day) for day in _days(OutreachTask, "started_at")])
    count_anew(ACCOUNTS_OF_MONTH, [_month_cell(one, day) for one in surveys for day in months])
    return sum(rollup.objects.count() for rollup in ROLLUPS)


def _alone(lock: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(BY_THE_INDEX)
        cursor.callproc(lock, [LOCK])
        return cursor.fetchone()[0] is not False


def _note_what_hangs_on(notes: dict[str, list[Note]]) -> None:
    """A customer or an account that moved takes many days along: note those, for later batches."""
    members = Q(account__in=_refs(notes[Kind.MEMBERS]))
    moved = Customer.objects.filter(members | Q(pk__in=_refs(notes[Kind.CUSTOMER])))
    customers = list(moved.values_list("pk", flat=True))
    if not customers:
        return
    with connection.cursor() as cursor:
        cursor.execute(HANGING, {"customers": customers})


def _cells(notes: dict[str, list[Note]]) -> Cells:
    answers, asked = _answers(notes), _asked(notes)
    customers = Customer.objects.filter(pk__in={one.ref for one in notes[Kind.ANSWER] if one.ref})
    accounts = dict(customers.values_list("pk", "account"))
    by_account = {
        _month_cell(note.survey, today(note.at).replace(day=1), account)
        for note in notes[Kind.ANSWER]
        if (account := accounts.get(note.ref))
    }
    counted = AccountMonth.objects.filter(account__in=_refs(notes[Kind.ACCOUNT]))
    by_account |= {_month_cell(*row) for row in counted.values_list("survey", "month", "account")}
    return {
        ANSWER_DAY: {_day_cell(survey, today(at)) for survey, at in answers},
        ASKED_DAY: {_day_cell(survey, today(at)) for survey, at in asked},
        TASK_DAY: {_day_cell(ALL, today(note.at)) for note in notes[Kind.TASK]},
        ACCOUNT_MONTH: by_account,
    }


def _answers(notes: dict[str, list[Note]]) -> set[tuple[int, datetime]]:
    """Those noted, and those whose task is new or gone."""
    of_tasks = Response.objects.filter(pk__in=_refs(notes[Kind.TASK]))
    noted = {(note.survey, note.at) for note in notes[Kind.ANSWER]}
    return noted | set(of_tasks.values_list("survey", "answered_at"))


def _asked(notes: dict[str, list[Note]]) -> set[tuple[int, datetime]]:
    reached = Invitation.objects.filter(pk__in=_refs(notes[Kind.INVITATION]))
    noted = {(note.survey, note.at) for note in notes[Kind.ASKED]}
    return noted | set(reached.values_list("survey", "created_at"))


def _refs(notes: Iterable[Note]) -> set[int]:
    return {note.ref for note in notes if note.ref is not None}


def _day_cell(survey: int, day: date) -> Cell:
    return Cell(survey, day, midnight(day), midnight(day + timedelta(days=1)))


def _month_cell(survey: int, first: date, account: int = ALL) -> Cell:
    month = Month(first.year, first.month)
    return Cell(survey, first, month.start, month.end, account)


def _days(model: type[Model], moment: str) -> list[date]:
    """From the first that any row lies in to the last."""
    ends = model.objects.aggregate(first=Min(moment), last=Max(moment))
    if ends["first"] is None:
        return []
    first, last = today(ends["first"]), today(ends["last"])
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
