"""The health of the accounts: safe, at risk, or unknown because nobody of them has answered, with
the revenue that hangs on them.

An account is at risk where its own NPS of the last twelve months is below -20. One answer is
enough: this is to look after accounts, and is no score of a group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

from analysis.months import Month
from surveys.models import Kind

MONTHS = 12
RISK_BELOW = -20  # NPS
STATES = ("safe", "at_risk", "unknown")
WORST = 20  # accounts at risk that are listed, those with most revenue

ACCOUNTS = """
WITH answered AS (
    SELECT account_id, sum(promoters) AS promoters, sum(detractors) AS detractors,
        sum(promoters + passives + detractors) AS n
    FROM analysis_accountmonth JOIN surveys_survey survey ON survey.id = survey_id
    WHERE month >= %(first)s AND month < %(end)s AND survey.kind = %(kind)s
    GROUP BY account_id
), health AS (
    SELECT account.id, account.name, account.revenue, answered.n,
        100.0 * (answered.promoters - answered.detractors) / answered.n AS nps,
        CASE WHEN answered.n IS NULL THEN 'unknown'
            WHEN 100.0 * (answered.promoters - answered.detractors) / answered.n < %(risk)s
            THEN 'at_risk' ELSE 'safe' END AS state
    FROM surveys_account account LEFT JOIN answered ON answered.account_id = account.id
    WHERE account.merged_into_id IS NULL
        AND (%(segment)s = '' OR account.segment = %(segment)s)
        AND (%(region)s = '' OR account.region = %(region)s)
)
"""
# ruff: noqa: S608 (put together from what stands here, and from nothing else)
SUMS = ACCOUNTS + "SELECT state, count(*), coalesce(sum(revenue), 0) FROM health GROUP BY state"
AT_RISK = ACCOUNTS + (
    "SELECT id, name, revenue, n, nps FROM health WHERE state = 'at_risk'"
    " ORDER BY revenue DESC NULLS LAST, nps, name LIMIT %(worst)s"
)


@dataclass(frozen=True)
class State:
    accounts: int = 0
    revenue: Decimal = Decimal(0)  # a year; accounts without one count as 0


@dataclass(frozen=True)
class AtRisk:
    account: int
    name: str
    revenue: Decimal | None
    n: int
    nps: float


@dataclass(frozen=True)
class Health:
    first: date
    end: date
    states: Mapping[str, State]  # by each of STATES
    at_risk: list[AtRisk]

    @property
    def accounts(self) -> int:
        return sum(one.accounts for one in self.states.values())

    @property
    def revenue(self) -> Decimal:
        return sum((one.revenue for one in self.states.values()), Decimal(0))

    @property
    def known(self) -> int:
        """Accounts of which somebody has answered: the coverage is their share."""
        return self.accounts - self.states["unknown"].accounts


def health(last: Month, segment: str = "", region: str = "") -> Health:
    """By the twelve months until `last`. Two queries."""
    first, end = last.plus(1 - MONTHS).first_day, last.plus(1).first_day
    values = {
        "first": first, "end": end, "kind": Kind.NPS, "risk": RISK_BELOW, "segment": segment,
        "region": region, "worst": WORST,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(SUMS, values)
        found = {state: State(n, revenue) for state, n, revenue in cursor.fetchall()}
        cursor.execute(AT_RISK, values)
        at_risk = [
            AtRisk(pk, name, money, int(n), float(nps)) for pk, name, money, n, nps in cursor
        ]
    return Health(first, end, {name: found.get(name, State()) for name in STATES}, at_risk)
