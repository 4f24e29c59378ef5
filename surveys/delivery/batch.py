"""One batch of claimed mails over one connection; what is wrong with one of them stays with it."""

from __future__ import annotations

import logging
import smtplib
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from surveys.delivery import claim, emails, lanes, outcomes, provider
from surveys.delivery.handover import Desk
from surveys.delivery.letter import Letter
from surveys.delivery.openings import CLOSED, closed_until
from surveys.delivery.pace import Pace
from surveys.delivery.smtp import Busy, Lane, Refused, Unclear, Unreachable
from surveys.delivery.wanted import ASKED_LATELY, Known
from surveys.models import DeliveryEvent, Message

log = logging.getLogger(__name__)


class Batch:
    """Sends `messages`, which this sender holds. `clock` tells the time in UTC; `stop` ends early.

    What the server took is written down together with the hand-over of the next mail: never more
    than one mail of a batch is in doubt when the process dies.
    """

    lane: Callable[[], Lane] = staticmethod(provider.lane)

    def __init__(
        self, messages: list[Message], clock: Callable[[], datetime], pace: Pace, desk: Desk,
        stop: threading.Event,
    ):  # fmt: skip
        self.messages, self.clock, self.pace, self.stop = messages, clock, pace, stop
        self.desk = desk
        self.accepted: Message | None = None  # by the server, and not written down yet
        self.sent = 0

    def send(self) -> int:
        """Returns how many the server took."""
        known = Known(self.messages, self.clock())
        with self.lane() as lane:
            for place, message in enumerate(self.messages):
                if self.stop.is_set():
                    claim.give_back(self.messages[place:], "Its sender had to leave.")
                    break
                try:
                    self._send(lane, message, known)
                except Unreachable as error:
                    lanes.pause(self.clock(), str(error), alarm_at_once=not isinstance(error, Busy))
                    claim.give_back(self.messages[place:], str(error))
                    self.stop.set()  # the lane is paused for every connection
                    break
            self._write_down()
        return self.sent

    def _send(self, lane: Lane, message: Message, known: Known) -> None:
        if _put_aside(message, known, self.clock()):
            return
        if letter := _written(message):
            self._take_turn()
            self._deliver(lane, message, letter)

    def _take_turn(self) -> None:
        if seconds := self.pace.turn():
            self._write_down()  # rather than leave it in doubt for as long
            self.stop.wait(seconds)

    def _deliver(self, lane: Lane, message: Message, letter: Letter) -> None:
        is_handed = False

        def hand_over() -> bool:
            nonlocal is_handed
            is_handed = self.desk.hand_over(message, self.accepted)
            self._forget_accepted()
            return is_handed

        try:
            message.provider_id = lane.deliver(letter, hand_over)
        except ValueError as error:
            claim.failed(message, f"Cannot be written: {error}")
        except Refused as refusal:
            self._refused(message, refusal)
        except Unreachable as error:
            if isinstance(error, Unclear):
                self._lost_touch(message, str(error))
            elif error.over_this_mail:  # it goes to the end, in case the others fare better
                claim.later(message, self.clock(), str(error))
            raise
        except (OSError, smtplib.SMTPException) as error:
            lane.hang_up()
            self._lost_touch(message, str(error) or type(error).__name__)
        else:
            if is_handed:
                message.sent_at, self.accepted = self.clock(), message
            else:
                self._too_late(message)

    def _refused(self, message: Message, refusal: Refused) -> None:
        now = self.clock()
        if not refusal.for_good:
            claim.later(message, now, str(refusal))
            return
        with transaction.atomic():
            if claim.failed(message, str(refusal)) and refusal.blames_the_address:
                outcomes.record(
                    message,
                    DeliveryEvent.Kind.HARD_BOUNCE,
                    source="smtp",
                    event_id=f"{message.pk}:{message.lease}",
                    detail=str(refusal),
                    now=now,
                )

    def _lost_touch(self, message: Message, error: str) -> None:
        """The server may have the mail: for what must never come twice that is a question, for
        everything else a reason to repeat."""
        if message.kind in Message.NEVER_TWICE:
            claim.in_doubt(message, error)
        else:
            claim.later(message, self.clock(), error)

    def _too_late(self, message: Message) -> None:
        """At the hand-over it was not ours any more, or not wanted any more."""
        now, fresh = self.clock(), claim.again(message)
        if fresh and not _put_aside(fresh, Known([fresh], now), now):
            # such as a new address: written anew by the next claim
            claim.give_back([fresh], "It changed while it was being sent.")

    def _write_down(self) -> None:
        if self.accepted:
            claim.sent(self.accepted)
            self._forget_accepted()

    def _forget_accepted(self) -> None:
        """It is written down; the first one of a batch ends an outage, if there was one."""
        if self.accepted:
            self.sent += 1
            if self.sent == 1:
                lanes.works()
            self.accepted = None


def _put_aside(message: Message, known: Known, now: datetime) -> bool:
    """Whether it is not to be sent: not any more, or not yet."""
    if no := known.unwanted(message, now):
        claim.unwanted(message, no.state, no.why)
    elif opens := closed_until(message, now):
        claim.wait(message, opens, CLOSED)
    elif over := known.spaced_until(message, now):
        claim.wait(message, over, ASKED_LATELY)
    else:
        return False
    return True


def _written(message: Message) -> Letter | None:
    message.message_id = claim.message_id(message)
    try:
        return emails.render(message)
    except Exception as error:  # whatever is wrong with this row, the others go on
        log.exception("message %s cannot be written", message.pk)
        claim.failed(message, f"Cannot be written: {error}")
        return None
