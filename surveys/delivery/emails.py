"""What people receive: one function per e-mail. Each returns a letter ready for SMTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.formats import date_format
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import localtime

from surveys.delivery import verp
from surveys.delivery.compiled import Values, only_text, said
from surveys.delivery.headers import deliverable, mailbox_line, one_line, text_line
from surveys.delivery.invitation import invitation_sheet, raw
from surveys.delivery.letter import Letter
from surveys.models import Customer, Invitation, Message, Purpose, Survey, User, Words

T = TypeVar("T")
# RFC 3834, and the header by which Exchange knows the same: no out-of-office replies, please.
AUTOMATIC = b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"


def render(message: Message) -> Letter:
    """The letter that a row of the outbox stands for, with its stable Message-ID.

    Raises ValueError when it cannot be written, which fails this one row only.
    """
    return WRITERS[Kind(message.kind)](message)


def invitation(message: Message) -> Letter:
    """The survey itself: one link per score, a link to unsubscribe, nothing that tracks."""
    asked = _about(message.invitation)
    return _survey(message, raw(asked.survey.wording_for(asked.language)))


def reminder(message: Message) -> Letter:
    """The survey once more, opened by the reminder's own words where its language has some."""
    asked = _about(message.invitation)
    words = raw(asked.survey.wording_for(asked.language))
    texts = message.reminder.texts.all() if message.reminder else ()
    for text in texts:
        if text.language == words.language:
            words = replace(words, subject=text.subject, intro=text.intro)
    return _survey(message, words)


def _survey(message: Message, words: Words) -> Letter:
    asked = _about(message.invitation)
    survey, customer = asked.survey, asked.customer
    values = _values(asked)
    sheet = invitation_sheet(survey, words, named=bool(values["name"]))
    sender = survey.sender_name or settings.COMPANY
    body = _list_headers(message, asked, values) + sheet.form.body(values)
    return _letter(message, customer, said(sheet.subject, values), sender, body)


def _values(asked: Invitation) -> dict[str, str]:
    """What differs from letter to letter."""
    return {
        "name": one_line(asked.customer.name),
        "product": one_line(asked.product) or settings.COMPANY,
        "answer": _link(Purpose.ANSWER, asked),
        "unsubscribe": _link(Purpose.UNSUBSCRIBE, asked),
    }


def answer_link(asked: Invitation) -> str:
    """Where this customer answers; with ?score=9 that score is chosen already."""
    return _link(Purpose.ANSWER, asked)


def _link(purpose: str, asked: Invitation) -> str:
    return settings.SITE_URL + _path(purpose) + asked.token(purpose)


@cache
def _path(purpose: str) -> str:
    return reverse(f"surveys:{purpose}", args=["-"]).removesuffix("-")


def _list_headers(message: Message, asked: Invitation, values: Values) -> bytes:
    """One-click unsubscribing (RFC 8058), and by what Google tells complaints apart."""
    return (
        f"List-Unsubscribe: <{values['unsubscribe']}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        f"Feedback-ID: {asked.survey_id}:{asked.wave_id or 0}:{message.kind}:voc\r\n"
    ).encode("ascii")


def invitation_preview(survey: Survey, language: str) -> str:
    """The HTML of the invitation as a made-up customer would get it; its links lead nowhere."""
    words = raw(survey.wording_for(language))
    values = {
        "name": "Ada Example",
        "product": survey.product or settings.COMPANY,
        "answer": "#",
        "unsubscribe": "#",
    }
    return said(invitation_sheet(survey, words, named=True).html, values)


def task_opened(message: Message) -> Letter:
    """To the owner of a new outreach task: who is unhappy, what they said, until when to call."""
    task, owner = _about(message.task), _about(message.user)
    path = reverse("admin:surveys_outreachtask_change", args=[task.pk])
    context = {
        "task": task,
        "owner": owner,
        "due": date_format(localtime(task.due_at, owner.zone), "DATETIME_FORMAT"),
        "zone": owner.zone,
        "link": settings.SITE_URL + path,
        "company": settings.COMPANY,
    }
    who = task.customer.account or task.customer
    subject = f"{who}: score {task.response.score}, call by {context['due']}"
    return _notice(message, subject, context)


def welcome(message: Message) -> Letter:
    """To a new colleague: the link by which they choose their password."""
    subject = f"Your account for customer feedback at {settings.COMPANY}"
    return _notice(message, subject, _password_context(_about(message.user)))


def password_reset(message: Message) -> Letter:
    return _notice(message, "Choose a new password", _password_context(_about(message.user)))


def password_link(user: User) -> str:
    """Where this user may choose a password; spent by choosing one, or by time."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return settings.SITE_URL + path


def _password_context(user: User) -> dict:
    return {"user": user, "link": password_link(user), "company": settings.COMPANY}


def _notice(message: Message, subject: str, context: dict) -> Letter:
    """Plain text to a colleague, from the template named like the kind of the message."""
    text = render_to_string(f"surveys/emails/{message.kind}.txt", context)
    return _letter(message, _about(message.user), subject, settings.COMPANY, only_text(text))


def _letter(
    message: Message, to: Customer | User, subject: str, sender: str, rest: bytes
) -> Letter:
    """`rest`: further headers and the body."""
    recipient = deliverable(to.email or "")
    written = format_datetime(datetime.now(UTC))
    top = [
        text_line("Subject", subject),
        mailbox_line("From", sender, settings.CONTACT_EMAIL),
        mailbox_line("To", to.name, recipient),
        f"Date: {written}\r\nMessage-ID: {message.message_id}\r\n".encode("ascii"),
        AUTOMATIC,
    ]
    return Letter(verp.address(message), recipient, b"".join(top) + rest)


def _about(noun: T | None) -> T:
    if noun is None:
        raise ValueError("What this message is about is gone.")
    return noun


Kind = Message.Kind
WRITERS = {
    Kind.INVITATION: invitation,
    Kind.REMINDER: reminder,
    Kind.TASK_OPENED: task_opened,
    Kind.WELCOME: welcome,
    Kind.PASSWORD_RESET: password_reset,
}
