"""Rows that the tests of the reports share, each put where a verb would have left it."""

from datetime import UTC, datetime, timedelta
from itertools import count

from surveys.loop.sort import band
from surveys.models import DEADLINE, Customer, Invitation, Message, OutreachTask, Response

number = count()


def at(text: str) -> datetime:
    """ "2026-03-10 09:00" in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def asked(survey, customer, when, *, sent=True, product="", occasion=None, **fields) -> Invitation:
    invitation = Invitation.objects.create(
        survey=survey,
        customer=customer,
        occasion=occasion or f"test:{next(number)}",
        product=product,
        language="en",
        created_at=when,
        expires_at=when + timedelta(days=30),
        **fields,
    )
    Message.objects.create(
        kind=Message.Kind.INVITATION,
        dedupe_key=f"invite:{invitation.pk}",
        invitation=invitation,
        state=Message.State.SENT if sent else Message.State.FAILED,
        next_at=when,
        created_at=when,
        sent_at=when if sent else None,
    )
    return invitation


def answer(survey, when, score=None, comment="", **fields) -> Response:
    """Imported unless it belongs to an invitation."""
    if "invitation" in fields:
        fields = {"source": Response.Source.INVITED, **fields}
    return Response.objects.create(
        **{
            "survey": survey,
            "kind": survey.kind,
            "source": Response.Source.IMPORTED,
            "score": score,
            "band": "" if score is None else band(survey.kind, score),
            "comment": comment,
            "answered_at": when,
            **fields,
        }
    )


def detractor(survey, when, contacted=None, customer=None, score=3, **fields) -> OutreachTask:
    """An invited detractor with its task, `contacted` so many hours later."""
    customer = customer or Customer.objects.create(name=f"Customer {next(number)}")
    invitation = asked(survey, customer, when)
    response = answer(survey, when, score, invitation=invitation, customer=customer, **fields)
    return OutreachTask.objects.create(
        response=response,
        customer=customer,
        started_at=when,
        due_at=when + DEADLINE,
        first_contact_at=None if contacted is None else when + timedelta(hours=contacted),
    )
