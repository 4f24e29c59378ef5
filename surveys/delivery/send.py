"""The outbox meets the world: claim what is due, hand it over, write down what became of it."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable
from datetime import datetime

from surveys.delivery import claim, emails
from surveys.delivery.letter import Letter
from surveys.delivery.smtp import Lane, Refused, Unreachable
from surveys.models import Message, Suppression

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
BATCH = 50


def drain(clock: Clock, batch: int = BATCH) -> int:
    """Send every due message, one connection a batch; returns how many were sent.

    `clock` tells the time in UTC. Safe to run in many processes at once.
    """
    total = 0
    while messages := claim.claim(clock(), batch):
        with Lane() as lane:
            total += _send_batch(lane, messages, clock)
    return total


def _send_batch(lane: Lane, messages: list[Message], clock: Clock) -> int:
    done = 0
    for place, message in enumerate(messages):
        try:
            done += _send(lane, message, clock)
        except Unreachable as error:  # says nothing about any of these mails
            log.error("the mail server cannot be reached: %s", error)
            for left in messages[place:]:
                claim.give_back(left, clock(), str(error))
            break
        claim.extend(messages[place + 1 :], clock())
    return done


def _send(lane: Lane, message: Message, clock: Clock) -> bool:
    """Send one claimed message and write down its outcome; True when it was sent.

    Raises Unreachable when there is no conversation with the server.
    """
    if why := _not_any_more(message, clock()):
        claim.cancelled(message, why)
        return False
    message.message_id = claim.message_id(message)
    try:
        letter = emails.render(message)
    except Exception as error:  # whatever is wrong with this row, the others go on
        log.exception("message %s cannot be written", message.pk)
        claim.failed(message, f"Cannot be written: {error}")
        return False
    return _deliver(lane, message, letter, clock)


def _deliver(lane: Lane, message: Message, letter: Letter, clock: Clock) -> bool:
    handed = False

    def hand_over() -> bool:
        nonlocal handed
        handed = claim.hand_over(message, clock())
        return handed

    try:
        lane.deliver(letter, hand_over)
    except Refused as refusal:
        if refusal.for_good or _past_its_day(message, clock()):
            claim.failed(message, str(refusal))
        else:
            claim.later(message, clock(), str(refusal))
        return False
    except (OSError, smtplib.SMTPException) as error:
        lane.hang_up()
        _lost_touch(message, handed, str(error) or type(error).__name__, clock())
        return False
    return handed and claim.sent(message, clock())


def _lost_touch(message: Message, handed: bool, error: str, now: datetime) -> None:
    """The conversation broke. Once handed over, the server may have the mail: for what must never
    come twice that is a question for a person, for everything else a reason to repeat."""
    if handed and message.kind in Message.NEVER_TWICE:
        claim.in_doubt(message, error)
    else:
        claim.later(message, now, error)


def _not_any_more(message: Message, now: datetime) -> str:
    """Why this mail should not be sent after all; empty when it should."""
    if message.user and not message.user.is_active:
        return "The recipient has left."
    invitation = message.invitation
    if invitation is None:
        return ""
    if not invitation.customer.email:
        return "The customer has no e-mail address any more."
    if invitation.has_expired(now):
        return "The invitation expired before it could be sent."
    if not invitation.survey.is_open:
        return "The survey was closed."
    if Suppression.among([invitation.customer.email], invitation.survey):
        return "The customer does not want to be asked."
    return ""


def _past_its_day(message: Message, now: datetime) -> bool:
    return message.invitation is not None and message.invitation.has_expired(now)
