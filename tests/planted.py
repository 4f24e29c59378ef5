"""A customer of whom we know everything there is to know, to be forgotten."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta

from surveys.delivery import outcomes
from surveys.inbound.take_in import take_in
from surveys.loop import answer, ask, close, happen, reach_out
from surveys.models import (
    Account,
    AuditEntry,
    Contact,
    Customer,
    Invitation,
    Message,
    OutreachTask,
    RootCause,
    Survey,
    User,
)
from tests.conftest import correct
from tests.faults.conftest import url_of
from tests.surveys.inbound.mails import reply
from voc.embedded.postgres import program

NAME, EMAIL, PHONE = "Quendoline Vexworth", "quendoline@zyxmail.example", "+49 171 5550199"
COMMENT = "The flugelhorn arrived dented, twice"
WORDS = ["quendoline", "vexworth", "zyxmail", "5550199", "flugelhorn", "crm-0815", "zebrawood"]
DAY = timedelta(days=1)


def planted_customer(account: Account) -> Customer:
    customer = Customer.objects.create(
        account=account,
        name=NAME,
        email=EMAIL,
        phone=PHONE,
        external_id="CRM-0815",
        segment="Enterprise",
        language="en",
        time_zone="Europe/Berlin",
        country="DE",
        is_key_contact=True,
    )
    customer.properties.create(name="favourite desk", value="zebrawood")
    return customer


def asked(customer: Customer, survey: Survey, now: datetime) -> Invitation:
    """Asked by a mail that went out at `now`."""
    [invitation] = ask.invite(survey, [customer], f"event:crm:CRM-0815:{survey.pk}", now)
    sent = {"state": "sent", "sent_at": now, "handed_at": now, "provider_id": f"for {EMAIL}"}
    invitation.messages.update(**sent, last_error=f"450 <{EMAIL}> is busy")
    return invitation


def answered(invitation: Invitation, by: User, now: datetime) -> OutreachTask:
    """A detractor's answer, corrected once, and followed up by `by`, who closed the task."""
    response, _ = answer.give(invitation, 2, COMMENT, now)
    correct(response, 1, f"{COMMENT}. Call {PHONE}", now + timedelta(minutes=5))
    task = response.task
    note = f"{NAME} is upset about the flugelhorn"
    reach_out.log_contact(task, by, Contact.Channel.PHONE, "spoke", note, now + DAY)
    cause = RootCause.objects.get_or_create(name="Transport")[0]
    close.close(task, by, cause, "improved", f"Sent {NAME} a new flugelhorn", now + 2 * DAY)
    return task


def told(invitation: Invitation, by: User, now: datetime) -> None:
    """What else the world and our colleagues said about the customer."""
    customer, mail = invitation.customer, invitation.messages.first()
    take_in(reply("My flugelhorn is dented.", EMAIL, In_Reply_To=f"<{mail.message_id}>"), now)
    outcomes.record(
        mail,
        "soft_bounce",
        source="provider",
        event_id=f"77:{EMAIL}",
        detail=f"<{EMAIL}> is full",
        now=now,
    )
    happen.happen("crm", "CRM-0815-1", "order.done", customer, "", now, now, subject="crm-0815")
    AuditEntry.record(
        "change", customer, now, actor=by, before={"name": "Quendoline"}, reason=f"Is {NAME} now"
    )


def everything_about(customer: Customer, survey: Survey, by: User, now: datetime) -> Invitation:
    invitation = asked(customer, survey, now)
    answered(invitation, by, now + timedelta(hours=1))
    told(invitation, by, now + 3 * DAY)
    assert Message.objects.filter(kind="task_opened", task__customer=customer).exists()
    return invitation


def found_in_a_dump() -> set[str]:
    """Those of WORDS that PostgreSQL's own dump of this test's database holds, in any writing."""
    done = subprocess.run(
        [program("pg_dump"), "--inserts", url_of()], capture_output=True, check=True, text=True
    )
    dump = done.stdout.lower()
    return {word for word in WORDS if word in dump or word.encode().hex() in dump}
