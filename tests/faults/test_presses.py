"""Faults 31 and 32: one button pressed many times at once, and two scores at once.

The presses come from threads, each with a connection of its own. A row that each of them needs is
held until they all wait for it inside PostgreSQL: so they meet, on a slow machine as on a fast one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from surveys.loop import answer, ask, press
from surveys.models import Invitation, Message, OutreachTask, Response, ResponseVersion
from surveys.pages import nonces
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
HOLD = {
    "the invitation": "SELECT FROM surveys_invitation WHERE id = %s FOR UPDATE",
    "the answer": "SELECT FROM surveys_response WHERE invitation_id = %s FOR UPDATE",
}
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def invitation(nps, customer) -> Invitation:
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


def press_all_at_once(
    invitation: Invitation, scores: list[int], held: str = "the invitation"
) -> list[str]:
    """The status and the heading of the page that each press of a score brought."""
    with ThreadPoolExecutor(len(scores)) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(HOLD[held], [invitation.pk])
            pressed = [pool.submit(press_once, invitation, score) for score in scores]
            assert eventually(lambda: waiting(cursor) == len(scores))
        return [one.result() for one in pressed]


def waiting(cursor) -> int:
    cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one picture of it
    cursor.execute(WAITING)
    return cursor.fetchone()[0]


def press_once(invitation: Invitation, score: int) -> str:
    token, opened = invitation.token(), timezone.now() - timedelta(seconds=5)
    said = {"nonce": nonces.issue(token, now=opened), "score": score}
    try:
        page = Client(raise_request_exception=False).post(f"/a/{token}", said)
        return f"{page.status_code} {re.findall('<h1>(.+?)</h1>', page.text)[0]}"
    finally:
        connections.close_all()


def history() -> list[int]:
    """The scores of every press that was kept, in their order."""
    return list(ResponseVersion.objects.order_by("number").values_list("score", flat=True))


@pytest.mark.parametrize("presses", [2, 20])
def test_many_presses_of_one_button_are_one_answer_and_one_task(invitation, presses):
    pages = press_all_at_once(invitation, [3] * presses)
    assert pages == ["200 Your answer has arrived"] * presses
    assert (Response.objects.get().score, history()) == (3, [3])
    assert OutreachTask.objects.get().state == "open"
    assert Message.objects.filter(kind="task_opened").count() == 1


def test_without_the_constraint_they_would_be_many(invitation, monkeypatch):
    """The control: the same presses, and nothing that makes the second one see the first."""
    statement = press._statement()
    careless = statement.replace("ON CONFLICT (invitation_id) DO NOTHING", "")
    monkeypatch.setattr(press, "_statement", lambda: careless)
    with one_answer_is_not_enforced():
        press_all_at_once(invitation, [3] * 5)
        assert (careless != statement, OutreachTask.objects.count()) == (True, 5)


@pytest.mark.parametrize("scores", [[3, 9], [9, 3], [0, 10] * 5])
def test_of_different_scores_the_last_one_counts_and_all_are_kept(invitation, scores):
    """Of an answer that was there before, for three scores at once would be a machine's."""
    assert set(press_all_at_once(invitation, scores)) == {"200 Your answer has arrived"}
    kept, response = history(), Response.objects.get()
    assert (set(kept), response.score) == (set(scores), kept[-1])
    assert response.verdict == "person"
    assert no_score_twice_in_a_row(kept)
    assert OutreachTask.objects.get().state == ("open" if kept[-1] <= 6 else "withdrawn")


def no_score_twice_in_a_row(kept: list[int]) -> bool:
    return all(one != following for one, following in pairwise(kept))


def test_of_two_corrections_at_once_the_last_one_counts_and_both_are_kept(invitation):
    answer.give(invitation, 5, "", timezone.now() - timedelta(hours=1))
    press_all_at_once(invitation, [2, 9])
    kept = history()
    assert (sorted(kept), kept[0]) == ([2, 5, 9], 5)
    assert Response.objects.get().score == kept[-1]
    assert OutreachTask.objects.get().state == ("open" if kept[-1] == 2 else "withdrawn")


def test_without_the_locks_one_of_them_would_be_lost(invitation, monkeypatch):
    """The control."""
    answer.give(invitation, 5, "", timezone.now() - timedelta(hours=1))
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
    pages = press_all_at_once(invitation, [2, 9], held="the answer")
    assert sorted(pages) == ["200 Your answer has arrived", "500 Server Error (500)"]
    assert len(history()) == 2


@contextmanager
def one_answer_is_not_enforced() -> Iterator[None]:
    find = """SELECT conname FROM pg_constraint WHERE contype = 'u'
        AND conrelid = 'surveys_response'::regclass AND pg_get_constraintdef(oid) = %s"""
    rule = "UNIQUE (invitation_id)"
    with connection.cursor() as cursor:
        cursor.execute(find, [rule])
        (name,) = cursor.fetchone()
        cursor.execute(f'ALTER TABLE surveys_response DROP CONSTRAINT "{name}"')
        try:
            yield
        finally:
            cursor.execute("TRUNCATE surveys_response CASCADE")
            cursor.execute(f'ALTER TABLE surveys_response ADD CONSTRAINT "{name}" {rule}')
