"""How each rollup is counted from the rows, for any set of its cells.

A cell is what is counted anew as a whole: a survey and a day of the company's calendar, or a
survey, a month and an account, or a day. Times are the cell's ends, the later one not in it.
"""
# ruff: noqa: S608 (the statements are put together from what stands here, and from nothing else)

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection

from analysis.rollups import LARGE_FROM, MIDDLE_FROM, Tier


class Cell(NamedTuple):
    survey: int  # 0: all of them
    day: date  # a month's first
    starts: datetime
    ends: datetime
    account: int = 0


CELLS = """unnest(%(surveys)s::bigint[], %(days)s::date[], %(starts)s::timestamptz[],
    %(ends)s::timestamptz[], %(accounts)s::bigint[]) AS cell(survey, day, starts, ends, account)"""

TIER = f"""CASE WHEN account.revenue IS NULL THEN {Tier.UNKNOWN:d}
    WHEN account.revenue < {MIDDLE_FROM} THEN {Tier.SMALL:d}
    WHEN account.revenue < {LARGE_FROM} THEN {Tier.MIDDLE:d} ELSE {Tier.LARGE:d} END"""

BANDS = """count(*) FILTER (WHERE answer.band = 'promoter'),
    count(*) FILTER (WHERE answer.band = 'passive'),
    count(*) FILTER (WHERE answer.band = 'detractor')"""

IN_CELL = """answer.survey_id = cell.survey
    AND answer.answered_at >= cell.starts AND answer.answered_at < cell.ends
    AND answer.verdict = 'person' AND answer.band <> ''"""

OF_CUSTOMER = """LEFT JOIN surveys_customer customer ON customer.id = {}.customer_id
    LEFT JOIN surveys_account account ON account.id = customer.account_id"""

ANSWER_DAY = (
    f"DELETE FROM analysis_answerday USING {CELLS} WHERE survey_id = cell.survey"
    " AND analysis_answerday.day = cell.day",
    f"""
    INSERT INTO analysis_answerday (survey_id, day, segment, product, region, source,
        promoters, passives, detractors, without_task)
    SELECT cell.survey, cell.day, answer.segment, answer.product, coalesce(account.region, ''),
        answer.source, {BANDS},
        count(*) FILTER (WHERE answer.band = 'detractor' AND (
            SELECT 1 FROM surveys_outreachtask WHERE response_id = answer.id LIMIT 1) IS NULL)
    FROM {CELLS} JOIN surveys_response answer ON {IN_CELL} {OF_CUSTOMER.format("answer")}
    GROUP BY 1, 2, 3, 4, 5, 6
    """,
)

# One that was answered reached its customer, whatever became of its record. The segment is the
# answer's own; until there is one, today's.
ASKED_DAY = (
    f"DELETE FROM analysis_askedday USING {CELLS} WHERE survey_id = cell.survey"
    " AND analysis_askedday.day = cell.day",
    f"""
    INSERT INTO analysis_askedday (survey_id, day, segment, product, region,
        invited, answered, by_link, by_link_answered)
    SELECT cell.survey, cell.day,
        coalesce(nullif(answer.segment, ''), nullif(customer.segment, ''), account.segment, ''),
        asked.product, coalesce(account.region, ''),
        count(*),
        count(*) FILTER (WHERE answer.verdict = 'person'),
        count(*) FILTER (WHERE asked.channel = 'link'),
        count(*) FILTER (WHERE asked.channel = 'link' AND answer.verdict = 'person')
    FROM {CELLS} JOIN surveys_invitation asked ON asked.survey_id = cell.survey
        AND asked.created_at >= cell.starts AND asked.created_at < cell.ends
        AND asked.decision = 'ask'
    {OF_CUSTOMER.format("asked")}
    LEFT JOIN surveys_response answer ON answer.invitation_id = asked.id
    WHERE answer.id IS NOT NULL OR asked.link_given_at IS NOT NULL OR (
        SELECT 1 FROM surveys_message WHERE invitation_id = asked.id AND state = 'sent' LIMIT 1
    ) IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
    """,
)

TASK_DAY = (
    f"DELETE FROM analysis_taskday USING {CELLS} WHERE analysis_taskday.day = cell.day",
    f"""
    INSERT INTO analysis_taskday (survey_id, day, segment, product, region, owner_id, tier,
        in_time, late, waiting, withdrawn)
    SELECT answer.survey_id, cell.day, answer.segment, answer.product,
        coalesce(account.region, ''), task.owner_id, {TIER},
        count(*) FILTER (WHERE task.state <> 'withdrawn' AND task.first_contact_at < task.due_at),
        count(*) FILTER (WHERE task.state <> 'withdrawn' AND task.first_contact_at >= task.due_at),
        count(*) FILTER (WHERE task.state <> 'withdrawn' AND task.first_contact_at IS NULL),
        count(*) FILTER (WHERE task.state = 'withdrawn')
    FROM {CELLS} JOIN surveys_outreachtask task ON task.started_at >= cell.starts
        AND task.started_at < cell.ends AND task.cause = 'detractor'
    JOIN surveys_response answer ON answer.id = task.response_id
    {OF_CUSTOMER.format("task")}
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    """,
)

ACCOUNT_MONTH = (
    f"DELETE FROM analysis_accountmonth USING {CELLS} WHERE survey_id = cell.survey"
    " AND month = cell.day AND account_id = cell.account",
    f"""
    INSERT INTO analysis_accountmonth (survey_id, month, account_id, segment, product,
        promoters, passives, detractors)
    SELECT cell.survey, cell.day, cell.account, answer.segment, answer.product, {BANDS}
    FROM {CELLS} JOIN surveys_customer customer ON customer.account_id = cell.account
    JOIN surveys_response answer ON answer.customer_id = customer.id AND {IN_CELL}
    GROUP BY 1, 2, 3, 4, 5
    """,
)

# The same for all accounts at once.
ACCOUNTS_OF_MONTH = (
    f"DELETE FROM analysis_accountmonth USING {CELLS} WHERE survey_id = cell.survey"
    " AND month = cell.day",
    f"""
    INSERT INTO analysis_accountmonth (survey_id, month, account_id, segment, product,
        promoters, passives, detractors)
    SELECT cell.survey, cell.day, customer.account_id, answer.segment, answer.product, {BANDS}
    FROM {CELLS} JOIN surveys_response answer ON {IN_CELL}
    JOIN surveys_customer customer ON customer.id = answer.customer_id
    WHERE customer.account_id IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
    """,
)

Recipe = tuple[str, str]


def count_anew(recipe: Recipe, cells: Collection[Cell]) -> None:
    """Replace what the rollup says of these cells by what the rows say now."""
    if not cells:
        return
    columns = [list(column) for column in zip(*sorted(cells), strict=True)]
    values = dict(zip(("surveys", "days", "starts", "ends", "accounts"), columns, strict=True))
    with connection.cursor() as cursor:
        for statement in recipe:
            cursor.execute(statement, values)
