"""The Net Promoter Score where answers share accounts: colleagues of one customer think alike, so
ten answers of one account say less than ten of ten accounts.

An answer counts +1, 0 or -1; answers that belong to no account are each an account of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, pi, sqrt, tan

from analysis.measures.intervals import Z95, Interval, adjusted_wald_nps, check_counts, nps_around


@dataclass(frozen=True)
class Moments:
    """What is to be known of the accounts: how many answered, and of each one's number of answers
    n and sum s (promoters less detractors) the sums of squares and of products."""

    accounts: int = 0
    ss: int = 0
    sn: int = 0
    nn: int = 0

    def __add__(self, other: Moments) -> Moments:
        """Of accounts that are not the same ones."""
        return Moments(
            self.accounts + other.accounts,
            self.ss + other.ss,
            self.sn + other.sn,
            self.nn + other.nn,
        )


def moments(accounts: Iterable[tuple[int, int]]) -> Moments:
    """From (n, s) of each account. ValueError for an s that n answers cannot give."""
    rows = list(accounts)
    for n, s in rows:
        check_counts(n=n)
        if abs(s) > n:
            raise ValueError(f"{n} answers cannot add up to {s}")
    rows = [(n, s) for n, s in rows if n]
    return Moments(
        len(rows),
        sum(s * s for _, s in rows),
        sum(s * n for n, s in rows),
        sum(n * n for n, _ in rows),
    )


def clustered_nps(
    promoters: int, passives: int, detractors: int, accounts: Moments
) -> Interval | None:
    """95 % interval of the Net Promoter Score in -1..+1; None for n = 0.

    The adjusted Wald interval of as many answers as these are worth (E. L. Korn and B. I. Graubard
    1998, Survey Methodology 24:193-201). Where every account answered once that is n itself.
    """
    n = promoters + passives + detractors
    if n == 0 or accounts.accounts >= n:
        return adjusted_wald_nps(promoters, passives, detractors)
    worth = effective_n(promoters, passives, detractors, accounts) / n
    value = (promoters - detractors) / n
    return nps_around(value, promoters * worth, detractors * worth, n * worth, Z95)


def effective_n(promoters: int, passives: int, detractors: int, accounts: Moments) -> float:
    """How many independent answers would tell as much: n over the design effect (L. Kish 1965,
    Survey Sampling, 8.2), less what is lost because the variance is itself estimated from the
    accounts, by the quantiles of Student's t. Never more than n.

    Where all answers are the same they do not show how alike an account's are: each account counts
    once. With a single account nothing is known of any other: 0.
    """
    n, m = promoters + passives + detractors, accounts.accounts
    if m >= n:
        return float(n)
    if m < 2:
        return 0.0
    few = (student95(n - 1) / student95(m - 1)) ** 2
    alone = _variance_of_answers(promoters, detractors, n)
    if alone == 0:
        return m * few
    effect = variance(promoters, passives, detractors, accounts) / alone
    return n / max(1.0, effect) * few


def variance(promoters: int, passives: int, detractors: int, accounts: Moments) -> float:
    """Of the score in -1..+1, by Taylor linearisation of the ratio of the accounts' sums to their
    numbers of answers, drawn with replacement (W. G. Cochran 1977, Sampling Techniques, 3rd ed.,
    6.3 and 9A; the "ultimate cluster" of C.-E. Särndal, B. Swensson and J. Wretman 1992, Model
    Assisted Survey Sampling, 5.6). ValueError with fewer than two accounts."""
    n, m = promoters + passives + detractors, accounts.accounts
    if m < 2:
        raise ValueError("the variance between accounts needs two of them")
    score = (promoters - detractors) / n
    squares = accounts.ss - 2 * score * accounts.sn + score * score * accounts.nn
    return max(0.0, m / (m - 1) * squares / n**2)


def _variance_of_answers(promoters: int, detractors: int, n: int) -> float:
    """The same with each answer as an account of its own."""
    score = (promoters - detractors) / n
    return max(0.0, (promoters + detractors - n * score * score) / (n * (n - 1)))


def student95(degrees: int) -> float:
    """The 97.5 % quantile of Student's t, to four digits or better (G. W. Hill 1970, "Algorithm
    396", Communications of the ACM 13:619-620). ValueError below one degree of freedom."""
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom: there must be at least one")
    if degrees == 1:
        return 1 / tan(0.025 * pi)
    if degrees == 2:
        return sqrt(2 / (0.05 * 1.95) - 2)
    a = 1 / (degrees - 0.5)
    b = 48 / a**2
    c = ((20_700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * degrees
    y = (d * 0.05) ** (2 / degrees)
    if y > 0.05 + a:
        y = _near_normal(-Z95, a, b, c, d, degrees)
    else:
        tail = (degrees + 6) / (degrees * y) - 0.089 * d - 0.822
        y = ((1 / (tail * (degrees + 2) * 3) + 0.5 / (degrees + 4)) * y - 1) * (
            (degrees + 1) / (degrees + 2)
        ) + 1 / y
    return sqrt(degrees * y)


def _near_normal(x: float, a: float, b: float, c: float, d: float, degrees: int) -> float:
    y = x * x
    if degrees < 5:
        c += 0.3 * (degrees - 4.5) * (x + 0.6)
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    y = a * y * y
    return exp(y) - 1 if y > 0.002 else 0.5 * y * y + y
