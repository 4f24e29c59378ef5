"""With eight thousand open tasks, most of them late, a sweep asks few questions and reads few."""

import json
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.loop import begin, escalate
from surveys.models import Escalation, EscalationStep, OutreachTask
from tests.surveys.admin.many import fill
from tests.surveys.admin.test_queue_at_scale import index_of, nodes, tasks_read

MANY = 8_000
HOUR = timedelta(hours=1)

TOLD = """
INSERT INTO surveys_escalation (task_id, step_id, began_at, after_denial, day, level, after_hours,
                                waits_for, at, acknowledged_by)
SELECT task.id, step.id, started_at, false, day, 1, after_hours, waits_for, %(now)s, ''
FROM surveys_outreachtask task, surveys_escalationstep step, generate_series(0, 30) day
WHERE state = 'open' AND first_contact_at IS NULL
  AND started_at <= %(now)s::timestamptz - after_hours * interval '1 h'
  AND (day = 0 OR (after_hours = 96
       AND day = floor(extract(epoch FROM %(now)s - started_at) / 86400 - 4)::int))
"""


def all_have_been_told(now) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TOLD, {"now": now})
        cursor.execute("ANALYZE surveys_escalation")


def sweep(now, last=None) -> tuple[int, list[str]]:
    """How many were told, and all that PostgreSQL was asked."""
    with CaptureQueriesContext(connection) as asked:
        told = escalate.escalate(now, last)
    return told, [each["sql"] for each in asked]


def plans(asked: list[str]) -> list[list[dict]]:
    """Of each question whether a step has come, as it really ran."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        for sql in asked:
            if sql.startswith('SELECT 1 AS "a" FROM "surveys_outreachtask"'):
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
                said = cursor.fetchone()[0]
                [plan] = json.loads(said) if isinstance(said, str) else said
                found.append(list(nodes(plan["Plan"])))
    return found


def test_a_sweep_reads_what_came_in_the_last_hour_and_by_an_index(nps, alice, lead, manager, now):
    """One filling for all of them, as it takes seconds."""
    fill(nps, [alice], MANY, now)
    begin.usual_policy(now)
    EscalationStep.objects.update(since=now - 2_000 * HOUR)
    all_have_been_told(now)
    told, asked = sweep(now)
    assert (told, len(asked)) == (0, 12)  # a look at everything, whatever the days
    told, asked = sweep(now, now)
    assert (told, len(asked)) == (0, 10)
    first, second = plans(asked)[:4], plans(asked)[4:]
    assert [index_of(plan) & {"tasks_unreached"} for plan in first] == [{"tasks_unreached"}] * 4
    assert [index_of(plan) & {"tasks_denied"} for plan in second] == [{"tasks_denied"}] * 4
    assert max(map(tasks_read, first + second)) < MANY / 20
    many_at_once_are_told_in_batches(now)
    without_the_index_it_would_be_seen(now)


def many_at_once_are_told_in_batches(now):
    """As many questions for each batch, whatever is in it; and nobody is told twice."""
    before = Escalation.objects.count()
    Escalation.objects.filter(step__after_hours=48, task__owner=None).delete()
    forgotten = before - Escalation.objects.count()
    told, few = sweep(now)
    assert told == forgotten < escalate.BATCH
    Escalation.objects.filter(step__after_hours=48, task__owner__pk__gte=middle()).delete()
    forgotten = before - Escalation.objects.count()
    told, many = sweep(now)
    assert (told, Escalation.objects.count()) == (forgotten, before)
    batches = -(-forgotten // escalate.BATCH)
    assert batches > 2
    assert len(many) - 12 <= (len(few) - 10) * batches


def middle() -> int:
    """Half of the colleagues have a higher number."""
    keys = sorted(OutreachTask.objects.filter(owner__isnull=False).values_list("owner", flat=True))
    return keys[len(keys) // 2]


def without_the_index_it_would_be_seen(now):
    """The control: each question reads thousands."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX tasks_unreached, tasks_by_cohort")
    _, asked = sweep(now, now)
    assert max(map(tasks_read, plans(asked)[:4])) > MANY / 2
