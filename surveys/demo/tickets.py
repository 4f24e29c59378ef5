"""What the demo's help desk tells: tickets that were asked about, and some that wait."""

from datetime import datetime, timedelta

from surveys.demo.cast import Cast
from surveys.loop import happen
from surveys.models import Customer, Event, Invitation, Trigger

SOURCE, SOLVED, REOPENED = "zendesk", "ticket.solved", "ticket.reopened"
DELAY = timedelta(hours=24)
TOLD = 40  # of the latest invitations, as many have the event that led to them
MINUTES_LEFT = (20, 200, 420, 700, 1_100)  # until the tickets that wait are asked about


def tell(cast: Cast, now: datetime) -> None:
    """Triggers of two surveys, the events behind the latest invitations, and what is new today."""
    csat = Trigger.objects.create(survey=cast.surveys["csat"], source=SOURCE, happening=SOLVED)
    Trigger.objects.create(
        survey=cast.surveys["ces"], source="crm", happening="installation.done", delay_hours=48
    )
    _asked_about(csat)
    _today([row for row in cast.customers.values() if row.email], now)


def _asked_about(trigger: Trigger) -> None:
    asked = Invitation.objects.filter(survey=trigger.survey, wave=None).order_by("-created_at")
    Event.objects.bulk_create(
        Event(
            source=SOURCE, external_id=f"{ticket}:solved", happening=SOLVED,
            subject=f"ticket:{ticket}", customer_id=one.customer_id, product=one.product,
            trigger=trigger, invitation=one, outcome=Event.Outcome.DECIDED,
            ask_at=one.created_at, decided_at=one.created_at,
            happened_at=one.created_at - DELAY, received_at=one.created_at - DELAY,
        )
        for ticket, one in enumerate(asked[:TOLD], start=8_001)
    )  # fmt: skip


def _today(people: list[Customer], now: datetime) -> None:
    solved = [now - DELAY + timedelta(minutes=left) for left in MINUTES_LEFT]
    for ticket, (customer, at) in enumerate(zip(people[::31], solved, strict=False), start=9_001):
        _tell(ticket, SOLVED, customer, at)
    _tell(9_003, REOPENED, people[62], solved[2] + timedelta(hours=1))
    _tell(9_009, "ticket.created", people[7], now - timedelta(minutes=35))


def _tell(ticket: int, happening: str, customer: Customer, at: datetime) -> None:
    happen.happen(
        SOURCE, f"{ticket}:{happening}", happening, customer, "Card terminal", at, at,
        subject=f"ticket:{ticket}",
    )  # fmt: skip
