"""Of a new task at once; in the morning, of the day; and as each person chooses."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from surveys.delivery import needless
from surveys.loop import answer, ask, close, reach_out, tell
from surveys.models import Absence, Customer, Message, Slot
from tests.conftest import colleague

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def opened(nps, account):
    def open_one(at, name="ines", to=account):
        customer = Customer.objects.create(account=to, email=f"{name}@lakeside.example")
        invitation = ask.invite(nps, [customer], f"test:{name}", at - HOUR)[0]
        return answer.give(invitation, 2, "It never came.", at)[0].task

    return open_one


@pytest.fixture
def alice(alice, now):
    """Who has been here for long, and lives in Berlin."""
    alice.joined_at, alice.time_zone = now - 300 * DAY, "Europe/Berlin"
    alice.save()
    return alice


def digests() -> list[str]:
    rows = Message.objects.filter(kind="digest").order_by("pk")
    return [str(message.user) for message in rows]


def at(*moment) -> datetime:
    return datetime(*moment, tzinfo=BERLIN).astimezone(UTC)


def why(message, now) -> str:
    return needless.why_needless(Message.objects.get(pk=message.pk), now)


def told_of(task):
    return Message.objects.get(kind="task_opened", task=task)


def test_a_new_task_is_told_at_once_in_the_digest_or_not_at_all(opened, alice, now):
    message = told_of(opened(now))
    said = {}
    for notices in ("at_once", "digest", "never"):
        alice.notices = notices
        alice.save()
        said[notices] = why(message, now)
    assert said == {
        "at_once": "",
        "digest": "Alice wants these mails otherwise: in the digest of the morning only.",
        "never": "Alice wants these mails otherwise: not at all.",
    }


def test_nobody_is_told_of_a_task_that_has_moved_on(opened, alice, bob, lead, now, root_cause):
    moved, over = opened(now, "a"), opened(now, "b")
    reach_out.assign(moved, bob, lead, now)
    close.withdraw(over, lead, "A test.", now)
    mail = Message.objects.get(task=moved, user=alice)
    assert why(mail, now) == "The task has another owner by now."
    assert why(Message.objects.get(task=moved, user=bob), now) == ""
    assert why(told_of(over), now) == "The task is over."


def test_a_new_owner_is_told_once_the_customer_has_had_time_to_write(opened, alice, bob, lead, now):
    task = opened(now)
    task.response.finished_at, task.response.comment = None, ""
    task.owner = bob
    tell.new_task(task, now)
    task.owner, task.response.comment = lead, "Late."
    tell.new_task(task, now)
    due = dict(Message.objects.filter(task=task).values_list("user__name", "next_at"))
    assert due == {"Alice": now, "Bob": now + tell.FOR_THE_COMMENT, "Lead": now}


@pytest.mark.parametrize("day", [(2026, 3, 28), (2026, 3, 29), (2026, 10, 25), (2026, 7, 1)])
def test_the_digest_comes_at_8_of_the_reader_s_own_clock(opened, alice, day):
    """The clocks in Berlin change on 29 March and 25 October 2026."""
    alice.joined_at = datetime(2025, 1, 1, tzinfo=UTC)
    alice.save()
    opened(at(*day, 8) - 70 * HOUR)
    moments = [at(*day, 7, 59, 59), at(*day, 8), at(*day, 8, 0, 30), at(*day, 23, 59)]
    assert [tell.digests(moment) for moment in moments] == [0, 1, 0, 0]
    assert digests() == ["Alice"]
    message = Message.objects.get(kind="digest")
    assert message.created_at.astimezone(BERLIN).hour == 8


def test_two_readers_in_two_places_each_have_their_own_morning(opened, alice, lead, nps, now):
    lead.joined_at, lead.time_zone = alice.joined_at, "America/Toronto"
    lead.save()
    task = opened(at(2026, 3, 10, 1), "b")
    reach_out.assign(task, lead, alice, now)
    opened(at(2026, 3, 10, 1), "a")
    morning = at(2026, 3, 13, 8)
    hours = [moment for moment in range(24) if tell.digests(morning + moment * HOUR)]
    assert hours == [0, 5]  # Toronto is an hour nearer until Europe's clocks change, too


def test_with_nothing_to_tell_there_is_no_mail_that_day(opened, alice):
    assert tell.digests(at(2026, 3, 10, 8)) == 0
    opened(at(2026, 3, 10, 9) - 71 * HOUR)  # and then it falls due at ten
    assert tell.digests(at(2026, 3, 10, 9)) == 0
    assert digests() == []
    assert tell.digests(at(2026, 3, 11, 8)) == 1


def test_a_clock_that_was_down_tells_of_today_only(opened, alice):
    opened(at(2026, 3, 10, 9))
    assert tell.digests(at(2026, 3, 12, 14)) == 0  # nothing due before tomorrow
    assert [tell.digests(at(2026, 3, 15, 14)) for _ in range(2)] == [1, 0]


def test_who_joins_during_the_day_begins_tomorrow(opened, alice):
    alice.joined_at = at(2026, 3, 13, 8, 1)
    alice.save()
    opened(at(2026, 3, 10, 9))
    assert tell.digests(at(2026, 3, 13, 9)) == 0
    assert tell.digests(at(2026, 3, 14, 8)) == 1


def test_who_wants_none_gets_none(opened, alice):
    opened(at(2026, 3, 10, 9))
    alice.notices = "never"
    alice.save()
    assert tell.digests(at(2026, 3, 13, 9)) == 0


def test_while_somebody_is_away_their_cover_hears_of_their_day(opened, alice, bob, now):
    bob.joined_at = alice.joined_at
    bob.save()
    opened(at(2026, 3, 10, 9))
    morning = at(2026, 3, 13, 9)
    day = morning.date()
    Absence.objects.create(user=alice, cover=bob, first_day=day, last_day=day)
    assert tell.digests(morning) == 1
    assert digests() == ["Bob"]


def test_who_reads_in_the_morning_only_hears_of_new_tasks_too(opened, alice):
    opened(at(2026, 3, 10, 9))
    assert tell.digests(at(2026, 3, 11, 8)) == 0
    alice.notices = "digest"
    alice.save()
    Slot.objects.all().delete()
    assert tell.digests(at(2026, 3, 11, 8)) == 1


def test_a_digest_that_comes_too_late_is_not_sent(opened, alice, root_cause):
    task = opened(at(2026, 3, 10, 9))
    tell.digests(at(2026, 3, 13, 8))
    message = Message.objects.get(kind="digest")
    assert why(message, at(2026, 3, 13, 12)) == ""
    assert why(message, at(2026, 3, 14, 1)) == "That morning is over."
    reach_out.log_contact(task, alice, "phone", "spoke", "", at(2026, 3, 13, 9))
    assert why(message, at(2026, 3, 13, 12)) == "Nothing is left to tell."


@pytest.mark.parametrize("rows", [1, 3])
def test_looking_costs_the_same_for_any_number_of_readers(
    opened, alice, team, rows, django_assert_num_queries
):
    for number in range(rows):
        colleague(f"c{number}", "account_manager", team)
    tell.digests(at(2026, 3, 13, 9))
    with django_assert_num_queries(2):
        tell.digests(at(2026, 3, 13, 10))
