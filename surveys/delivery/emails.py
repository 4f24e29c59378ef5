"""What people receive: one function per e-mail. Each returns a message ready for SMTP."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.formats import date_format
from django.utils.http import urlsafe_base64_encode
from django.utils.timezone import localtime

from surveys.delivery.invitation import invitation_html, invitation_text
from surveys.delivery.letter import Letter
from surveys.models import Invitation, Message, OutreachTask, Purpose, Survey, User

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def render(message: Message) -> Letter:
    """The letter that a row of the outbox stands for, with its stable Message-ID.

    Raises ValueError (or a subclass) when it cannot be written, which fails this one row only.
    """
    mail = _written(message)
    mail["Message-ID"] = message.message_id
    recipient = mail["To"].addresses[0].addr_spec
    return Letter(settings.CONTACT_EMAIL, recipient, mail.as_bytes())


def _written(message: Message) -> EmailMessage:
    kind, user = message.kind, message.user
    if kind == Message.Kind.INVITATION and message.invitation:
        return invitation(message.invitation)
    if kind == Message.Kind.TASK_OPENED and message.task and user:
        return task_opened(message.task, user)
    if kind == Message.Kind.WELCOME and user:
        return welcome(user)
    if kind == Message.Kind.PASSWORD_RESET and user:
        return password_reset(user)
    raise ValueError(f"No e-mail is written for a message of kind {kind}.")


def invitation(asked: Invitation) -> EmailMessage:
    """The survey itself: one link per score, a link to unsubscribe, nothing that tracks."""
    survey, customer = asked.survey, asked.customer
    words = survey.wording_for(asked.language).filled(
        name=header(customer.name), company=settings.COMPANY, product=asked.product
    )
    sender = survey.sender_name or settings.COMPANY
    links = Links(asked)
    mail = _mail(customer.email, customer.name, words.subject, sender)
    mail["List-Unsubscribe"] = f"<{links.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(invitation_text(survey, words, links, sender))
    mail.add_alternative(invitation_html(survey, words, links, sender), subtype="html")
    return mail


def invitation_preview(survey: Survey, language: str) -> str:
    """The HTML of the invitation as a made-up customer would get it; its links lead nowhere."""
    words = survey.wording_for(language).filled(
        name="Ada Example", company=settings.COMPANY, product=survey.product
    )
    return invitation_html(survey, words, NoLinks(), survey.sender_name or settings.COMPANY)


def task_opened(task: OutreachTask, owner: User) -> EmailMessage:
    """To the owner of a new outreach task: who is unhappy, what they said, until when to call."""
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
    return _notice(owner, subject, "surveys/emails/task_opened", context)


def welcome(user: User) -> EmailMessage:
    """To a new colleague: the link by which they choose their password."""
    subject = f"Your account for customer feedback at {settings.COMPANY}"
    return _notice(user, subject, "surveys/emails/welcome", _password_context(user))


def password_reset(user: User) -> EmailMessage:
    subject = "Choose a new password"
    return _notice(user, subject, "surveys/emails/password_reset", _password_context(user))


class Links:
    """The addresses in one invitation."""

    def __init__(self, asked: Invitation):
        answer = reverse("surveys:answer", args=[asked.token(Purpose.ANSWER)])
        opt_out = reverse("surveys:unsubscribe", args=[asked.token(Purpose.UNSUBSCRIBE)])
        self.answer = settings.SITE_URL + answer
        self.unsubscribe = settings.SITE_URL + opt_out

    def score(self, score: int) -> str:
        return f"{self.answer}?score={score}"


class NoLinks:
    answer = unsubscribe = "#"

    def score(self, score: int) -> str:
        return "#"


def password_link(user: User) -> str:
    """Where this user may choose a password; spent by choosing one, or by time."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return settings.SITE_URL + path


def _password_context(user: User) -> dict:
    return {"user": user, "link": password_link(user), "company": settings.COMPANY}


def _notice(to: User, subject: str, template: str, context: dict) -> EmailMessage:
    mail = _mail(to.email, to.name, subject, settings.COMPANY)
    mail.set_content(render_to_string(f"{template}.txt", context))
    return mail


def _mail(email: str | None, name: str, subject: str, sender: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = header(subject)
    mail["From"] = address(sender, settings.CONTACT_EMAIL)
    mail["To"] = address(name, email or "")
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies, please
    mail["X-Auto-Response-Suppress"] = "All"
    return mail


def header(text: str) -> str:
    """One line of at most 200 characters: whatever a customer is called, no header is injected."""
    return UNPRINTABLE.sub(" ", text).strip()[:200]


def address(name: str, email: str) -> Address:
    """Raises ValueError (email.errors.HeaderParseError is one) for what is no address."""
    return Address(display_name=header(name)[:80], addr_spec=email)
