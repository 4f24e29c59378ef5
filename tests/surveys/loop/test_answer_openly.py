"""Anonymous answers: one for each form, within the limits of their link, and nobody to call."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections, transaction

from surveys.loop import answer, answer_openly
from surveys.loop.answer import More
from surveys.models import (
    OpenAnswer,
    OpenLink,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    Survey,
    Wording,
)
from surveys.models.open_links import OpenLinks, new_key
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
CLIENT, OTHER = "0" * 16, "1" * 16
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.fixture
def link(nps):
    return OpenLink.objects.create(survey=nps, name="Counter")


def press(link, score, now, key="", client=CLIENT, **how):
    key = key or new_key()
    about = answer_openly.find(link.token, key, "en")
    return answer_openly.press(about, key, client, score, now, **how)


def test_it_is_sorted_and_opens_no_task(link, now):
    pressed = press(link, 2, now, comment="Nobody there.")
    response = Response.objects.get()
    assert (pressed.response, pressed.is_new) == (response, True)
    assert (response.source, response.band, response.comment) == (
        "anonymous", "detractor", "Nobody there.",
    )  # fmt: skip
    assert (response.open_answer.link, response.open_answer.client) == (link, CLIENT)
    assert not OutreachTask.objects.exists()


def test_a_survey_that_looks_at_loyalty_finds_none(link, nps, now):
    nps.task_on_loyalty_drop = True
    nps.save()
    press(link, 10, now)
    press(link, 7, now + HOUR)
    assert not OutreachTask.objects.exists()


def test_a_wish_to_be_contacted_is_not_taken(link, now):
    response = press(link, 9, now).response
    more = More("Please call.", ["price"], "phone", "at noon")
    added = answer_openly.add(response, more, now, []).response
    assert (added.comment, added.wants_contact, added.contact_channel, added.contact_time) == (
        "Please call.", False, "", "",
    )  # fmt: skip
    assert not OutreachTask.objects.exists()


def test_a_machine_counts_nowhere_but_in_the_limits(link, now):
    OpenLink.objects.update(client_limit=1)
    pressed = press(link, 0, now, signs=[Sign.DECOY])
    assert (pressed.signs, Response.objects.get().verdict) == ([Sign.DECOY], "machine")
    with pytest.raises(answer_openly.TooMany):
        press(link, 9, now)


def test_limits_are_of_one_address_and_hour_and_of_all_and_a_day(link, now):
    OpenLink.objects.update(client_limit=2, daily_limit=3)
    press(link, 9, now)
    press(link, 9, now)
    with pytest.raises(answer_openly.TooMany, match="2 answers from one address in an hour"):
        press(link, 9, now)
    press(link, 9, now, client=OTHER)
    with pytest.raises(answer_openly.TooMany, match="3 answers in 24 hours"):
        press(link, 9, now + HOUR)
    press(link, 9, now + 24 * HOUR)
    assert Response.objects.count() == 4


def test_a_closed_link_takes_nothing_new_but_what_was_said_can_be_corrected(link, now):
    key = new_key()
    press(link, 2, now, key)
    OpenLink.objects.update(is_open=False)
    assert press(link, 9, now + HOUR, key).response.score == 9
    with pytest.raises(answer.CannotAnswer):
        press(link, 9, now)
    OpenLink.objects.update(is_open=True)
    Survey.objects.update(is_open=False)
    with pytest.raises(answer.CannotAnswer):
        press(link, 9, now)
    with pytest.raises(answer.TooLateToCorrect):
        press(link, 1, now + timedelta(days=14, seconds=1), key)


@pytest.mark.parametrize(
    ("reader", "fallback", "words"),
    [("de", "", "de"), ("de-ch", "", "de"), ("fr", "", "en"), ("fr", "de", "de"),
     ("en", "de", "en"), ("", "de", "de"), ("fr", "pl", "en")],
)  # fmt: skip
def test_words_are_the_readers_then_the_links_then_the_surveys(link, reader, fallback, words):
    german = Wording.objects.get()
    german.pk, german.language = None, "de"
    german.save()
    link.language = fallback
    link.save()
    assert answer_openly.find(link.token, "", reader).language == words


def test_what_is_unknown_asks_nothing(link):
    assert answer_openly.find("a" * 26, "", "en") is None
    assert answer_openly.find(link.token, new_key(), "en").answer is None


def all_at_once(link, keys) -> list[object]:
    """Press so many forms while the link is held, until every press waits for it."""

    def press_one(key):
        try:
            return press(link, 3, link.created_at, key)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(keys)) as pool:
        with transaction.atomic(), connection.cursor() as cursor:
            OpenLink.objects.select_for_update().get(pk=link.pk)
            pressed = [pool.submit(press_one, key) for key in keys]
            assert eventually(lambda: waiting(cursor) == len(keys))
        return [one.exception() or one.result() for one in pressed]


def waiting(cursor) -> int:
    cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one picture of it
    cursor.execute(WAITING)
    return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_twenty_presses_of_one_form_are_one_answer(link):
    all_at_once(link, [new_key()] * 20)
    assert (Response.objects.count(), ResponseVersion.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_limits_hold_however_many_press_at_once(link):
    OpenLink.objects.update(client_limit=3)
    results = all_at_once(link, [new_key() for _ in range(8)])
    assert sum(isinstance(one, answer_openly.TooMany) for one in results) == 5
    assert OpenAnswer.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_only_the_constraint_would_be_left(link, monkeypatch):
    """The control: both look before either has written."""
    key, looked = new_key(), []
    refuse = answer_openly._refuse_too_many

    def refuse_when_both_have_looked(*args):
        looked.append(1)
        eventually(lambda: len(looked) == 2)
        refuse(*args)

    monkeypatch.setattr(answer_openly, "_refuse_too_many", refuse_when_both_have_looked)
    monkeypatch.setattr(OpenLinks, "select_for_update", lambda rows, **how: rows)

    def press_one(_):
        try:
            return press(link, 3, link.created_at, key)
        except IntegrityError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(press_one, range(2)))
    assert sum(isinstance(one, IntegrityError) for one in results) == 1
    assert Response.objects.count() == 1
