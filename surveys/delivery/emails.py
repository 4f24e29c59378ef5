"""What customers receive, one function per e-mail; and the choice of the one for a message."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings

from surveys.delivery import notices, task_notices
from surveys.delivery.compiled import said
from surveys.delivery.headers import mailbox_line, one_line
from surveys.delivery.letter import Letter, about, letter
from surveys.delivery.links import (
    admin_link,
    answer_link,
    confirm_link,
    privacy_link,
    unsubscribe_link,
)
from surveys.delivery.sheets import (
    Sheet,
    confirmation_sheet,
    heads_up_sheet,
    reminder_words_of,
    sender_of,
    survey_sheet,
    words_of,
)
from surveys.delivery.task_mail import task_mail
from surveys.models import Customer, Invitation, Message, Reminder, Survey, User

Kind = Message.Kind


def render(message: Message) -> Letter:
    """The letter that a row of the outbox stands for, with its stable Message-ID.

    Raises ValueError when it cannot be written, which fails this one row only.
    """
    return WRITERS[Kind(message.kind)](message)


def invitation(message: Message) -> Letter:
    """The survey itself: one link per score, a link to unsubscribe, nothing that tracks."""
    asked = about(message.invitation)
    words = words_of(asked.survey, asked.language)
    sheet = survey_sheet(asked.survey, words, named=_is_named(asked.customer))
    return _to_customer(message, asked, sheet, sender_of(asked.survey))


def reminder(message: Message) -> Letter:
    """The survey once more, opened by the reminder's own words."""
    asked = about(message.invitation)
    words = reminder_words_of(asked.survey, asked.language, message.reminder)
    sheet = survey_sheet(asked.survey, words, named=_is_named(asked.customer))
    return _to_customer(message, asked, sheet, sender_of(asked.survey))


def heads_up(message: Message) -> Letter:
    """Some days before: the account's owner says that a survey will come. Replies go to them."""
    asked = about(message.invitation)
    owner = owner_of(asked.customer)
    sender = f"{owner.name}, {settings.COMPANY}" if owner else sender_of(asked.survey)
    words = words_of(asked.survey, asked.language)
    sheet = heads_up_sheet(asked.survey, words, sender, named=_is_named(asked.customer))
    replies = mailbox_line("Reply-To", owner.name, owner.email) if owner else b""
    return _to_customer(message, asked, sheet, sender, replies)


def confirmation(message: Message) -> Letter:
    """A day after a task was closed: did somebody get back, and did it help? Its links lead to a
    page where nothing is sent before the button is pressed."""
    asked, question = about(message.invitation), about(message.confirmation)
    words = words_of(asked.survey, asked.language)
    sender = sender_of(asked.survey)
    sheet = confirmation_sheet(asked.survey, words, sender, named=_is_named(asked.customer))
    return _to_customer(message, asked, sheet, sender, link=confirm_link(question))


def owner_of(customer: Customer) -> User | None:
    """The colleague who looks after the customer's account, if any does."""
    owner = customer.account.owner if customer.account else None
    return owner if owner and owner.is_active else None


def test(message: Message) -> Letter:
    """To a colleague: an invitation or reminder as customers get it; its links lead to a preview,
    and nothing that is pressed there counts."""
    survey, colleague = about(message.survey), about(message.user)
    words = words_of(survey, message.language or survey.language, message.reminder)
    sheet = survey_sheet(survey, words, named=bool(colleague.name))
    preview = admin_link(survey, "preview", words.language)
    values = _values(colleague.name, survey.product, preview, preview, preview)
    subject, sender = f"Test: {sheet.subject(values)}", sender_of(survey)
    return letter(message, colleague, subject, sheet.form.body(values), sender=sender)


def _to_customer(
    message: Message,
    asked: Invitation,
    sheet: Sheet,
    sender: str,
    more: bytes = b"",
    link: str = "",
) -> Letter:
    """`link` is where the mail leads; the page of the survey, if nothing else is said."""
    customer, opt_out = asked.customer, unsubscribe_link(asked)
    links = link or answer_link(asked), opt_out, privacy_link(asked)
    values = _values(customer.name, asked.product, *links)
    more += (  # RFC 8058; and by what Google tells complaints apart
        f"List-Unsubscribe: <{opt_out}>\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        f"Feedback-ID: {asked.survey_id}:{asked.wave_id or 0}:{message.kind}:voc\r\n"
    ).encode("ascii")
    body = sheet.form.body(values)
    return letter(message, customer, sheet.subject(values), body, sender=sender, more=more)


def _values(name: str, product: str, answer: str, unsubscribe: str, privacy: str) -> dict[str, str]:
    """What differs from letter to letter."""
    return {
        "name": one_line(name),
        "product": one_line(product) or settings.COMPANY,
        "answer": answer,
        "unsubscribe": unsubscribe,
        "privacy": privacy,
    }


def _is_named(customer: Customer) -> bool:
    return bool(one_line(customer.name))


class Preview(NamedTuple):
    """A mail as a made-up customer would get it. Its links lead nowhere."""

    subject: str
    text: str
    html: str


def preview(survey: Survey, language: str, reminder: Reminder | None = None) -> Preview:
    """The invitation, or that reminder. Raises NoWording."""
    words = words_of(survey, language, reminder)
    return _preview(survey, survey_sheet(survey, words, named=True))


def preview_of_heads_up(survey: Survey, language: str) -> Preview:
    sender = f"Mo Example, {settings.COMPANY}"
    words = words_of(survey, language)
    return _preview(survey, heads_up_sheet(survey, words, sender, named=True))


def _preview(survey: Survey, sheet: Sheet) -> Preview:
    values = _values("Ada Example", survey.product, "#", "#", "#")
    return Preview(sheet.subject(values), said(sheet.text, values), said(sheet.html, values))


WRITERS = {
    Kind.INVITATION: invitation,
    Kind.REMINDER: reminder,
    Kind.HEADS_UP: heads_up,
    Kind.CONFIRMATION: confirmation,
    Kind.TASK_MAIL: task_mail,
    Kind.TEST: test,
    Kind.TASK_OPENED: notices.task_opened,
    Kind.WELCOME: notices.welcome,
    Kind.PASSWORD_RESET: notices.password_reset,
    Kind.CONTACT_BOUNCED: notices.contact_bounced,
    Kind.CONTACT_SILENT: notices.contact_silent,
    Kind.REPLIED: notices.replied,
    Kind.ESCALATION: task_notices.escalation,
    Kind.DIGEST: task_notices.digest,
    Kind.DENIED: task_notices.denied,
    Kind.CHAT_STOPPED: task_notices.chat_stopped,
    Kind.ALARM: notices.alarm,
}
