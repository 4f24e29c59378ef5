"""Twelve months of what Larkfield's customers were asked and said, relative to `now`.

Plain Python: the same seed and the same `now` give the same story. Deliveries get better after
the eighth month (a new warehouse), the app gets worse in the last four (an update).
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from surveys.demo import company
from surveys.demo.comments import STRENGTHS, comment
from surveys.demo.company import Account, Customer
from surveys.demo.followup import DEADLINE, Followup, after, in_time
from surveys.demo.scenes import Scene, scenes

SEED = 2026
TICKETS, SET_UPS, OLD_ANSWERS, POSTER_ANSWERS = 8_200, 360, 900, 90
RATES = {"nps": 0.37, "csat": 0.25, "ces": 0.30}
COMMENTED = {"detractor": 0.9, "passive": 0.7, "promoter": 0.45}
OWN_LANGUAGE = 0.45  # of those whose language is not English; the others write English anyway

# Days ago that a segment was asked for its NPS: each twice a year.
WAVES = (
    (company.BIG, 335), (company.MIDDLE, 275), (company.SMALL, 214),
    (company.BIG, 153), (company.MIDDLE, 92), (company.SMALL, 31),
)  # fmt: skip

# How often tickets are about what, and which causes trouble there.
AREAS = {"Till app": 26, "Card terminal": 16, "Online booking": 14, "Billing": 12, "Delivery": 18,
         "Installation": 14}  # fmt: skip
TROUBLES = {
    "": {"app_crashes": 3, "price_rise": 3, "missing_feature": 3, "slow_support": 2,
         "billing_errors": 2, "late_delivery": 2, "confusing_setup": 1},
    "Till app": {"app_crashes": 4, "missing_feature": 2, "slow_support": 2, "confusing_setup": 1},
    "Card terminal": {"slow_support": 3, "late_delivery": 2, "confusing_setup": 2},
    "Online booking": {"missing_feature": 3, "confusing_setup": 2, "app_crashes": 2,
                       "slow_support": 1},
    "Billing": {"billing_errors": 6, "price_rise": 3, "slow_support": 1},
    "Delivery": {"late_delivery": 8, "billing_errors": 1},
    "Installation": {"rude_technician": 4, "confusing_setup": 4, "late_delivery": 1},
}  # fmt: skip
JOYS = {
    "": (3, 4, 3, 1), "Till app": (2, 6, 2, 0), "Card terminal": (2, 2, 6, 0),
    "Online booking": (2, 6, 0, 0), "Billing": (5, 1, 2, 0), "Delivery": (1, 0, 0, 6),
    "Installation": (5, 3, 0, 1),
}  # fmt: skip
TOUCHIER = {
    (company.BIG, "billing_errors"): 1.8, (company.SMALL, "price_rise"): 2.0,
    (company.SMALL, "confusing_setup"): 1.5,
}  # fmt: skip

# Share of detractors and of passives in a quiet month.
BAD, SO_SO = {"nps": 0.16, "csat": 0.12, "ces": 0.12}, {"nps": 0.32, "csat": 0.13, "ces": 0.14}
SCORES = {
    "nps": {"detractor": (0, 1, 2, 3, 3, 4, 5, 5, 6, 6, 6), "passive": (7, 8, 8),
            "promoter": (9, 9, 10)},
    "csat": {"detractor": (1, 2, 2), "passive": (3,), "promoter": (4, 4, 5, 5, 5)},
    "ces": {"detractor": (1, 2, 3, 3), "passive": (4,), "promoter": (5, 6, 6, 7, 7)},
}  # fmt: skip


class Answer(NamedTuple):
    """`score` is on the kind's own scale; `cause` is what it was really about."""

    at: datetime
    kind: str
    score: int
    band: str
    cause: str
    comment: str
    language: str
    product: str
    segment: str


class Asked(NamedTuple):
    """One customer asked once. `wave` numbers WAVES, and is None for a ticket or a set-up."""

    kind: str
    customer: Customer
    product: str
    at: datetime
    wave: int | None
    answer: Answer | None
    followup: Followup | None = None
    owner: str = ""


class Story(NamedTuple):
    """`asked` is in the order of time; `imported` and `anonymous` belong to no customer."""

    asked: list[Asked]
    imported: list[Answer]
    anonymous: list[Answer]


ACCOUNTS: dict[str, Account] = {account.key: account for account in company.ACCOUNTS}


def tell(now: datetime, seed: int = SEED) -> Story:
    """The whole year up to `now` (aware, UTC)."""
    rng = random.Random(seed)
    people = company.customers()
    asked = [*_waves(rng, people, now), *_tickets(rng, people, now)]
    asked.sort(key=lambda one: (one.at, one.customer.external_id))
    settled = [*_followed_up(rng, asked, now), *_on_stage(rng, people, now)]
    settled.sort(key=lambda one: (one.at, one.customer.external_id))
    imported = list(_loose(rng, now, OLD_ANSWERS, (250, 500), words=True))
    return Story(settled, imported, list(_loose(rng, now, POSTER_ANSWERS, (1, 360), words=False)))


def trend(cause: str, days_ago: float) -> float:
    """How much more (or less) of a cause there was on that day than in a quiet month."""
    if cause == "app_crashes":
        return 0.6 + 2.6 * min(1.0, max(0.0, (115 - days_ago) / 80))
    if cause == "late_delivery":
        return 0.35 + 1.75 * min(1.0, max(0.0, (days_ago - 85) / 35))
    return 1.0


def _waves(rng: random.Random, people: list[Customer], now: datetime) -> Iterator[Asked]:
    for number, (segment, days) in enumerate(WAVES):
        launch = (now - timedelta(days=days)).replace(hour=8, minute=30, second=0, microsecond=0)
        launch -= timedelta(days=launch.weekday())  # a Monday
        audience = [one for one in people if ACCOUNTS[one.account].segment == segment]
        for position, customer in enumerate(audience):
            at = launch + timedelta(seconds=2 * position)
            answer = _answer(rng, "nps", customer, "", at, now)
            yield Asked("nps", customer, "", at, number, answer)


def _tickets(rng: random.Random, people: list[Customer], now: datetime) -> Iterator[Asked]:
    weights = [3 if ACCOUNTS[one.account].segment == company.BIG else 2 for one in people]
    kinds = ["csat"] * TICKETS + ["ces"] * SET_UPS
    for kind, customer in zip(kinds, rng.choices(people, weights, k=len(kinds)), strict=True):
        at = _office_hour(rng, now)
        product = "Installation" if kind == "ces" else rng.choices(*_pairs(AREAS))[0]
        yield Asked(
            kind, customer, product, at, None, _answer(rng, kind, customer, product, at, now)
        )


def _office_hour(rng: random.Random, now: datetime) -> datetime:
    while True:
        at = now - timedelta(seconds=rng.randrange(3_600, 365 * 86_400))
        at = at.replace(hour=rng.choice((7, 8, 9, 10, 11, 13, 14, 15, 16)), microsecond=0)
        if at.weekday() < 5 and at < now:
            return at


def _answer(
    rng: random.Random, kind: str, customer: Customer, product: str, at: datetime, now: datetime
) -> Answer | None:
    """What came back, or None: no address, no wish, or not yet."""
    delay = timedelta(hours=0.05 + min(rng.expovariate(1 / 15), 200))
    if rng.random() >= RATES[kind] or not customer.email or at + delay > now:
        return None
    language = customer.language if rng.random() < OWN_LANGUAGE else "en"
    segment = ACCOUNTS[customer.account].segment
    return said(rng, kind, product, segment, language, at + delay, now)


def said(
    rng: random.Random, kind: str, product: str, segment: str, language: str, at: datetime,
    now: datetime, band: str = "", cause: str = "", words: bool = False,
) -> Answer:  # fmt: skip
    """One answer; `band` and `cause` are drawn from what went on that day unless given.

    With `words` it has a comment for certain.
    """
    days_ago = (now - at) / timedelta(days=1)
    weights = {
        one: weight * trend(one, days_ago) * TOUCHIER.get((segment, one), 1.0)
        for one, weight in TROUBLES[product].items()
    }
    trouble = sum(weights.values()) / sum(TROUBLES[product].values())
    bad, so_so = BAD[kind] * trouble, SO_SO[kind] * (0.5 + trouble / 2)
    bands = ("detractor", "passive", "promoter")
    band = band or rng.choices(bands, (bad, so_so, max(0.1, 1 - bad - so_so)))[0]
    happy = band == "promoter" and rng.random() < 0.92
    drawn = rng.choices(STRENGTHS, JOYS[product]) if happy else rng.choices(*_pairs(weights))
    cause = cause or drawn[0]
    writes = words or rng.random() < COMMENTED[band]
    text = comment(rng, cause, band, language) if writes else ""
    score = rng.choice(SCORES[kind][band])
    return Answer(at, kind, score, band, cause, text, language, product, segment)


def _pairs(weights: dict[str, float]) -> tuple[list[str], list[float]]:
    return list(weights), list(weights.values())


def _followed_up(rng: random.Random, asked: list[Asked], now: datetime) -> Iterator[Asked]:
    bad = [one.answer for one in asked if one.answer and one.answer.band == "detractor"]
    staged = [(now - timedelta(hours=scene.hours), scene.missed) for scene in scenes()]
    verdicts = iter(in_time(rng, [*((one.at, False) for one in bad), *staged], now))
    for one in asked:
        if one.answer is None or one.answer.band != "detractor":
            yield one
            continue
        who, hit = one.customer.name.split()[0], next(verdicts)
        done = after(rng, one.answer.at, hit, who, one.answer.cause, now)
        yield one._replace(followup=done, owner=_owner(one.customer, taken=bool(done.steps)))


def _owner(customer: Customer, taken: bool) -> str:
    """The account's owner; the team lead picked up what nobody owned."""
    return ACCOUNTS[customer.account].owner or (company.JONAS if taken else "")


def _on_stage(rng: random.Random, people: list[Customer], now: datetime) -> Iterator[Asked]:
    """The tasks that are open at this moment, one in every state."""
    casting = rng.sample([one for one in people if one.email], len(people) - 10)
    seen: set[str] = set()
    for scene in scenes():
        customer = _cast_for(scene, casting, seen)
        seen.add(customer.account)
        at = now - timedelta(hours=scene.hours)
        account = ACCOUNTS[customer.account]
        answer = said(rng, "csat", scene.product, account.segment, "en", at, now, "detractor",
                      scene.cause)  # fmt: skip
        answer = answer._replace(comment=scene.comment)
        done = Followup(tuple(scene.steps(rng, at, customer.name.split()[0])))
        sent = at - timedelta(hours=rng.uniform(0.5, 20))
        yield Asked("csat", customer, scene.product, sent, None, answer, done, scene.owner)


def _cast_for(scene: Scene, casting: list[Customer], seen: set[str]) -> Customer:
    """Somebody of the scene's owner; best of an account not seen yet that uses the product."""
    own = [one for one in casting if ACCOUNTS[one.account].owner == scene.owner]
    return min(
        own,
        key=lambda one: (one.account in seen, ACCOUNTS[one.account].product != scene.product),
    )


def _loose(
    rng: random.Random, now: datetime, count: int, days: tuple[int, int], words: bool
) -> Iterator[Answer]:
    """CSAT answers that belong to nobody we know: from the old tool, or from a poster's link."""
    for at in sorted(now - timedelta(days=rng.uniform(*days)) for _ in range(count)):
        product, segment = rng.choices(*_pairs(AREAS))[0], rng.choice(tuple(company.PEOPLE))
        language = rng.choices(("en", "de", "fr", "es"), (17, 3, 2, 1))[0]
        yield said(rng, "csat", product, segment, language, at, now, words=words)


__all__ = ["DEADLINE", "SEED", "WAVES", "Answer", "Asked", "Story", "tell", "trend"]
