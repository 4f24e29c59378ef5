"""The open tasks of the demo at this moment: one in every state that the queue knows."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from surveys.demo.company import CARLA, IDRIS, JONAS, TESSA
from surveys.demo.followup import Step, step


class Scene(NamedTuple):
    """A detractor who answered `hours` ago; `tries` are (hours after the answer, outcome)."""

    hours: float
    owner: str
    product: str
    cause: str
    comment: str
    tries: tuple[tuple[float, str], ...] = ()

    @property
    def missed(self) -> bool:
        """The 72 hours are over and nobody reached the customer within them."""
        reached = ("spoke", "met", "replied", "refused")
        in_time = any(done in reached and at < 72 for at, done in self.tries)
        return self.hours >= 72 and not in_time

    def steps(self, rng: random.Random, answered_at: datetime, who: str) -> Iterator[Step]:
        for hours, outcome in self.tries:
            yield step(rng, answered_at + timedelta(hours=hours), outcome, who, self.cause)


def scenes() -> tuple[Scene, ...]:
    return (
        Scene(2, TESSA, "Till app", "app_crashes",
              "Till froze again in the middle of the lunch rush, third time this week. We took "
              "orders on the back of napkins!!"),
        Scene(5, CARLA, "Billing", "billing_errors",
              "You debited the closed branch again. 240 euros. I would like it back this month."),
        Scene(9, "", "Delivery", "late_delivery",
              "Terminal was promised for Monday. Nothing yet and tracking says label created"),
        Scene(20, IDRIS, "Till app", "app_crashes",
              "since the update it just closes itself when I open refunds",
              ((18, "no_answer"),)),
        Scene(30, "", "Online booking", "missing_feature",
              "No deposits for no-shows. Lost four appointments on Saturday alone."),
        Scene(36, TESSA, "Online booking", "confusing_setup",
              "I tried to change the opening hours for the holidays. After two hours I gave up."),
        Scene(44, JONAS, "Installation", "rude_technician",
              "The engineer sighed at every question and left before the printer worked.",
              ((20, "left_message"),)),
        Scene(50, IDRIS, "Till app", "app_crashes",
              "Black screen at checkout, then back to log-in. Please roll the last version back.",
              ((3, "no_answer"), (26, "spoke"))),
        Scene(69.5, CARLA, "Card terminal", "slow_support",
              "Six days for an answer and then it was a copy of the manual page I had linked.",
              ((30, "mail_sent"),)),
        Scene(70.6, TESSA, "Billing", "price_rise",
              "18 percent more and I find out from the invoice. Is that how you treat people who "
              "have been with you for five years?"),
        Scene(96, IDRIS, "Till app", "app_crashes",
              "Crashes. Every. Single. Day.", ((40, "left_message"),)),
        Scene(120, TESSA, "Card terminal", "slow_support",
              "Forty minutes on hold and then cut off. Twice.", ((22, "replied"),)),
        Scene(150, CARLA, "Billing", "billing_errors",
              "Charged for nine terminals. We have four. Asked three times.",
              ((26, "no_answer"), (60, "spoke"))),
        Scene(192, CARLA, "Installation", "rude_technician",
              "Technician did not show up and nobody called. We stayed closed for him."),
    )  # fmt: skip
