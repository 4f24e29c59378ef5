"""What colleagues receive, one function per e-mail: plain text that says what to do."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime

from surveys.delivery import claim, lanes
from surveys.delivery.compiled import only_text
from surveys.delivery.letter import Letter, about, letter
from surveys.delivery.links import admin_link, inbox_link, outbox_link, password_link
from surveys.models import (
    Customer,
    DeliveryEvent,
    EscalationRecipient,
    InboundMail,
    MailLane,
    Message,
    Suppression,
    User,
)


def task_opened(message: Message) -> Letter:
    """To the owner of a new outreach task: who is unhappy, what they said, until when to call."""
    task, owner = about(message.task), about(message.user)
    due = local(task.waits_until or task.due_at, owner)
    who = task.customer.account or task.customer
    subject = f"{who}: score {task.response.score}, call by {due}"
    return notice(message, subject, task=task, due=due, zone=owner.zone, link=admin_link(task))


def welcome(message: Message) -> Letter:
    """To a new colleague: the link by which they choose their password."""
    subject = f"Your account for customer feedback at {settings.COMPANY}"
    return notice(message, subject, link=password_link(about(message.user)))


def password_reset(message: Message) -> Letter:
    return notice(message, "Choose a new password", link=password_link(about(message.user)))


def contact_bounced(message: Message) -> Letter:
    """To the account's owner: mail to a key contact comes back; who it is and what to do."""
    asked, owner = about(message.invitation), about(message.user)
    bounce = DeliveryEvent.objects.filter(
        message__invitation=asked,
        kind__in=[DeliveryEvent.Kind.HARD_BOUNCE, DeliveryEvent.Kind.SOFT_BOUNCE],
    ).first()
    since = local(bounce.at if bounce else message.created_at, owner)
    subject = f"{_whom(asked.customer)} cannot be reached by mail"
    stopped = bool(Suppression.among([asked.customer.email or ""], asked.survey))
    link = admin_link(asked.customer)
    return notice(
        message, subject, asked=asked, since=since, bounce=bounce, stopped=stopped, link=link
    )


def contact_silent(message: Message) -> Letter:
    """To the account's owner: a key contact was asked and has not answered."""
    asked, owner = about(message.invitation), about(message.user)
    sent = asked.messages.filter(kind=Message.Kind.INVITATION, sent_at__isnull=False).first()
    since = local((sent and sent.sent_at) or asked.created_at, owner)
    subject = f"{_whom(asked.customer)} has not answered"
    return notice(message, subject, asked=asked, since=since, link=admin_link(asked.customer))


def replied(message: Message) -> Letter:
    """To the account's owner: a customer wrote back, and nobody else reads it."""
    asked, owner = about(message.invitation), about(message.user)
    mail = about(asked.mails.filter(kind=InboundMail.Kind.REPLY).first())
    subject = f"{_whom(asked.customer)} has replied"
    since = local(mail.received_at, owner)
    link = admin_link(asked.customer)
    return notice(message, subject, asked=asked, mail=mail, since=since, link=link)


def alarm(message: Message) -> Letter:
    """To whoever can help: a survey was paused, a mail was given up, or the mail server or the
    mailbox is at fault."""
    survey, deadly = message.survey, claim.died_over(message)
    if deadly is not None:
        return _given_up(message, deadly)
    if survey is None:
        return _lane_alarm(message)
    subject = f"“{survey}” was paused" if survey.paused_reason else f"“{survey}” runs again"
    return notice(message, subject, survey=survey, link=admin_link(survey))


def _given_up(message: Message, deadly: int) -> Letter:
    mail = Message.objects.filter(pk=deadly).first()
    link = admin_link(mail) if mail else outbox_link()
    deaths = claim.CLAIMS_WITHOUT_PROGRESS
    subject = "A mail was given up"
    return notice(message, subject, given_up=True, mail=mail, deaths=deaths, link=link)


def _lane_alarm(message: Message) -> Letter:
    name = lanes.of_alarm(message)
    lane = MailLane.objects.filter(name=name).exclude(reason="").first()
    at = local(message.created_at, about(message.user))
    if name == lanes.MAILBOX:
        subject = "Bounces and replies are not read"
        return notice(message, subject, mailbox=True, lane=lane, at=at, link=inbox_link())
    return notice(message, "Mail did not go out", lane=lane, at=at, link=outbox_link())


def _whom(customer: Customer) -> str:
    return f"{customer} ({customer.account})" if customer.account else str(customer)


def local(at: datetime, reader: User | EscalationRecipient) -> str:
    return date_format(localtime(at, reader.zone), "DATETIME_FORMAT")


def notice(message: Message, subject: str, **context: object) -> Letter:
    """Plain text from the template that is named like the kind of the message."""
    user = message.user or about(message.recipient)
    context |= {"user": user, "company": settings.COMPANY}
    text = render_to_string(f"surveys/emails/{message.kind}.txt", context)
    return letter(message, user, subject, only_text(text), sender=settings.COMPANY)
