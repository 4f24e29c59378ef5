"""The measures beside statsmodels' and pandas' figures of the same answers, with edge cases."""

from datetime import date, timedelta
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from analysis.measures.change import change
from analysis.measures.closure import Closure
from analysis.measures.clusters import clustered_nps, effective_n, moments, student95, variance
from analysis.measures.response_rate import response_rate
from analysis.measures.rolling import rolling
from analysis.measures.scores import ces, csat, nps, share
from analysis.measures.survival import kaplan_meier

Z = 1.959963984540054
ALL_ALIKE = [[1, 1, 1], [-1, -1], [0, 0], [1, 1], [-1, -1, -1]]  # each account of one mind
MIXED = [[1, -1, 0], [1, -1], [0, 1, 1, -1], [1, 0], [-1]]
MANY = [[(i * j) % 3 - 1 for j in range(1 + i % 7)] for i in range(60)]
ONE_LARGE = [[1] * 50, [-1], [0], [1], [-1]]
TWO = [[1, 1, -1], [0, -1]]
ALONE = [[one] for one in (1, 1, 0, -1, -1, -1, 1)]
ALL_THE_SAME = [[1] * 4, [1] * 3, [1]]
TIES = [[1, -1]] * 12


def counted(accounts):
    answers = [one for account in accounts for one in account]
    bands = answers.count(1), answers.count(0), answers.count(-1)
    return bands, moments((len(account), sum(account)) for account in accounts)


def sandwich(accounts) -> float:
    """statsmodels' cluster-robust variance of a mean."""
    answers = np.array([one for account in accounts for one in account], dtype=float)
    groups = np.repeat(range(len(accounts)), [len(account) for account in accounts])
    fit = OLS(answers, np.ones(len(answers))).fit(cov_type="cluster", cov_kwds={"groups": groups})
    return float(fit.bse[0] ** 2)


@pytest.mark.parametrize("accounts", [ALL_ALIKE, MIXED, MANY, ONE_LARGE, TWO, ALONE, TIES])
def test_the_variance_between_accounts(accounts):
    bands, found = counted(accounts)
    assert variance(*bands, found) == pytest.approx(sandwich(accounts), abs=1e-12)


def around(bands, worth) -> tuple[float, float]:
    """Adjusted Wald: 0.75 answers at either end and 1.5 in the middle come on top."""
    weights = np.array(bands)[[0, 1, 2]] * worth + [0.75, 1.5, 0.75]
    of = DescrStatsW([1, 0, -1], weights=weights, ddof=0)
    margin = Z * sqrt(of.var / weights.sum())
    return max(-1, of.mean - margin), min(1, of.mean + margin)


@pytest.mark.parametrize("accounts", [ALL_ALIKE, MIXED, MANY, ONE_LARGE, TWO, TIES])
def test_the_interval_of_the_nps_between_accounts(accounts):
    bands, found = counted(accounts)
    n, m = sum(bands), len(accounts)
    answers = np.repeat([1, 0, -1], bands)
    effect = max(1.0, sandwich(accounts) / (answers.var(ddof=1) / n))
    worth = n / effect * (student.ppf(0.975, n - 1) / student.ppf(0.975, m - 1)) ** 2
    assert effective_n(*bands, found) == pytest.approx(worth, rel=1e-5)
    assert clustered_nps(*bands, found) == pytest.approx(around(bands, worth / n), abs=1e-5)


@pytest.mark.parametrize(
    "bands", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (10, 0, 0), (0, 10, 0), (5, 0, 5), (50, 20, 30)]
)
def test_the_interval_of_the_nps_of_answers_that_share_nothing(bands):
    low, high = around(bands, 1)
    value = (bands[0] - bands[2]) / sum(bands)
    found = nps(*bands)
    assert found.value == pytest.approx(100 * value)
    assert found.low == pytest.approx(100 * min(low, value))
    assert found.high == pytest.approx(100 * max(high, value))


@pytest.mark.parametrize("degrees", [*range(1, 31), 99, 1_000, 10**6])
def test_the_quantile_of_students_t(degrees):
    assert student95(degrees) == pytest.approx(student.ppf(0.975, degrees), rel=1e-5)


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 1), (1, 1), (0, 10), (10, 10), (3, 4), (19, 20), (950, 1_000), (1, 10**7)]
)
def test_shares_csat_ces_closure_and_response_rate(hits, n):
    low, high = proportion_confint(hits, n, method="wilson")
    peer = pytest.approx((hits / n, low, high), abs=1e-12)
    bands = hits, 0, n - hits
    for found in (share(hits, n), csat(*bands), ces(*bands), response_rate(hits, n)):
        assert (found.value, found.low, found.high) == peer
    closed = Closure(contacted_in_time=hits, overdue=n - hits)
    assert (closed.rate, *closed.interval) == peer


@pytest.mark.parametrize(
    ("now", "before"),
    [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((10, 10), (0, 20)), ((0, 10), (0, 10)),
     ((1, 1), (0, 1)), ((500, 1_000), (500, 1_000)), ((5, 100), (9, 90))],
)  # fmt: skip
def test_the_change_of_a_share(now, before):
    low, high = confint_proportions_2indep(*now, *before, method="newcomb")
    found = change(share(*now), share(*before))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    ("times", "events"),
    [
        ([1], [1]),
        ([5, 5, 5, 5], [1, 1, 1, 1]),
        ([5, 5, 5, 5], [1, 0, 1, 0]),
        ([1, 2, 3, 4, 4, 6, 9, 9, 12], [1, 0, 1, 1, 1, 0, 1, 0, 0]),
        ([0, 0, 24, 48, 71, 72, 72, 80], [1, 0, 1, 1, 1, 0, 1, 1]),
    ],
)
def test_the_curve_of_first_contacts(times, events):
    peer = SurvfuncRight(np.array(times, dtype=float), np.array(events))
    curve = kaplan_meier((float(t), e, 1 - e) for t, e in zip(times, events, strict=True))
    happened = [step for step in curve.steps if step.events]
    assert [step.time for step in happened] == list(peer.surv_times)
    assert [step.at_risk for step in happened] == list(peer.n_risk)
    assert [step.survival for step in happened] == pytest.approx(list(peer.surv_prob), abs=1e-12)
    spreads = [step.survival * sqrt(step.spread) for step in happened if step.survival > 1e-9]
    assert spreads == pytest.approx(list(peer.surv_prob_se[: len(spreads)]), abs=1e-12)


def test_the_csat_of_the_last_thirty_days():
    first = date(2026, 1, 1)
    days = [first + timedelta(days=n) for n in range(90) if n % 11]  # some days without answers
    by_day = {day: (day.day % 5, day.day % 3, day.day % 4) for day in days}
    table = pd.DataFrame(by_day, index=list("pqd")).T.reindex(
        [first + timedelta(days=n) for n in range(90)], fill_value=0
    )
    sums = table.rolling(30, min_periods=1).sum()
    peer = {day: (row.p / n if (n := row.sum()) else None, n) for day, row in sums.iterrows()}
    found = dict(rolling("csat", by_day, first, first + timedelta(days=89)))
    assert list(found) == list(peer)
    for day, (value, n) in peer.items():
        assert (found[day].value, found[day].n) == (pytest.approx(value), n)
