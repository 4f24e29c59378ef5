"""Whether a mail that was promised should still be sent: asked at the claim, and again in the very
statement that commits the hand-over, so that who unsubscribes in between gets no mail."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Coalesce

from surveys.delivery.breaker import PAUSED
from surveys.delivery.needless import why_needless
from surveys.models import Customer, Invitation, Message, Response, Suppression, Wave
from surveys.models.invitations import FLOOR

State = Message.State
WAVE_PAUSED = "Held back: the wave is paused."
NO_ADDRESS = "The customer has no e-mail address any more."
NOT_ASKED = "The customer does not want to be asked."
WHY_NOT = {
    Suppression.Reason.BOUNCED: "Mails to this address come back.",
    Suppression.Reason.COMPLAINED: "The customer has called our mails spam.",
    Suppression.Reason.FORGOTTEN: "The customer wants no mail from us any more.",
}
SPACED = (Message.Kind.INVITATION, Message.Kind.REMINDER)
ASKED_LATELY = "Waits for 24 hours to pass after another survey that the customer got."

# The same rules as `Known.unwanted`, at the last moment: for a `message` and its `given` address.
STILL_WANTED = """
    CASE WHEN message.kind IN ('invitation', 'reminder', 'heads_up') THEN EXISTS (
        SELECT FROM surveys_invitation AS invitation
        JOIN surveys_survey AS survey ON survey.id = invitation.survey_id
        JOIN surveys_customer AS customer ON customer.id = invitation.customer_id
        LEFT JOIN surveys_wave AS wave ON wave.id = invitation.wave_id
        WHERE invitation.id = message.invitation_id AND invitation.expires_at > %(now)s
            AND survey.is_open AND survey.paused_reason = ''
            AND (wave.id IS NULL OR wave.state NOT IN ('paused', 'stopped'))
            AND customer.email = given.email
            AND NOT EXISTS (
                SELECT FROM surveys_suppression AS suppression
                WHERE suppression.digest = given.digest
                    AND (suppression.family_id IS NULL
                        OR suppression.family_id = survey.family_id))
            AND NOT EXISTS (
                SELECT FROM surveys_response AS response
                WHERE response.invitation_id = invitation.id AND response.verdict = 'person')
            AND (message.kind = 'heads_up' OR NOT EXISTS (
                SELECT FROM surveys_invitation AS earlier
                JOIN surveys_message AS mail ON mail.invitation_id = earlier.id
                WHERE earlier.customer_id = invitation.customer_id AND earlier.id <> invitation.id
                    AND mail.kind IN ('invitation', 'reminder')
                    AND mail.state IN ('sending', 'sent', 'in_doubt')
                    AND coalesce(mail.sent_at, mail.handed_at) > %(now)s - INTERVAL '24 hours')))
    WHEN message.kind = 'confirmation' THEN EXISTS (
        SELECT FROM surveys_confirmation AS question
        JOIN surveys_outreachtask AS task ON task.id = question.task_id
        JOIN surveys_customer AS customer ON customer.id = task.customer_id
        JOIN surveys_invitation AS invitation ON invitation.id = message.invitation_id
        JOIN surveys_survey AS survey ON survey.id = invitation.survey_id
        WHERE question.id = message.confirmation_id AND question.answered_at IS NULL
            AND task.state = 'closed' AND task.closings = question.number
            AND customer.email = given.email
            AND NOT EXISTS (
                SELECT FROM surveys_suppression AS suppression
                WHERE suppression.digest = given.digest
                    AND (suppression.family_id IS NULL
                        OR suppression.family_id = survey.family_id)))
    WHEN message.kind = 'task_mail' THEN EXISTS (
        SELECT FROM surveys_outreachtask AS task
        JOIN surveys_customer AS customer ON customer.id = task.customer_id
        WHERE task.id = message.task_id AND customer.email = given.email
            AND NOT EXISTS (
                SELECT FROM surveys_suppression AS suppression
                WHERE suppression.digest = given.digest AND suppression.family_id IS NULL
                    AND suppression.reason <> 'unsubscribed'))
    WHEN message.recipient_id IS NOT NULL THEN EXISTS (
        SELECT FROM surveys_escalationrecipient AS recipient
        WHERE recipient.id = message.recipient_id AND recipient.is_active)
    ELSE EXISTS (
        SELECT FROM surveys_user AS colleague
        WHERE colleague.id = message.user_id AND colleague.is_active)
    END
"""


@dataclass(frozen=True)
class Unwanted:
    state: str  # CANCELLED, or HELD until somebody resumes
    why: str


class Known:
    """Who wants no mail, who has answered already, and who was asked within the last 24 hours, for
    many messages in three queries."""

    def __init__(self, messages: Collection[Message], now: datetime):
        asked = [m.invitation for m in messages if m.invitation and m.kind in Message.NEVER_TWICE]
        addresses = (invitation.customer.email for invitation in asked)
        self.digests = {address: Suppression.hash(address) for address in addresses if address}
        rows = Suppression.objects.filter(digest__in=list(self.digests.values()))
        self.suppressed = {(bytes(d), f) for d, f in rows.values_list("digest", "family_id")}
        answers = Response.objects.counted().filter(invitation__in=[i.pk for i in asked])
        self.answered = set(answers.values_list("invitation_id", flat=True))
        self.recent = _asked_since(now - FLOOR, {invitation.customer_id for invitation in asked})

    def unwanted(self, message: Message, now: datetime) -> Unwanted | None:
        """Why this mail should not be sent after all; None when it should."""
        if message.kind == Message.Kind.CONFIRMATION:
            why = self._why_not_to_confirm(message)
            return Unwanted(State.CANCELLED, why) if why else None
        if message.kind == Message.Kind.TASK_MAIL and message.task:
            why = why_not_by_hand(message.task.customer)
            return Unwanted(State.CANCELLED, why) if why else None
        if message.kind not in Message.NEVER_TWICE or message.invitation is None:
            why = why_needless(message, now)
            return Unwanted(State.CANCELLED, why) if why else None
        for state, does_apply, why in self._rules(message.invitation, now):
            if does_apply:
                return Unwanted(state, why)
        return None

    def _why_not_to_confirm(self, message: Message) -> str:
        """Closed surveys, pauses and throttles say nothing here: the customer began it."""
        question, asked = message.confirmation, message.invitation
        task = message.task
        if question is None or asked is None or task is None:
            return "What this mail is about is gone."
        if question.answered_at or question.number != task.closings or task.state != "closed":
            return "The customer has answered already, or the task is open again."
        digest = self.digests.get(asked.customer.email or "")
        if digest is None:
            return NO_ADDRESS
        families = {(digest, asked.survey.family_id), (digest, None)}
        return NOT_ASKED if families & self.suppressed else ""

    def spaced_until(self, message: Message, now: datetime) -> datetime | None:
        """When the 24 hours after another survey's mail to the customer are over; None: they are.
        Throttles are decided when a mail is planned; a pause or a closed window may carry it next
        to one that was planned for another day. Reminders know no throttle, but wait as well."""
        if message.kind not in SPACED or message.invitation is None:
            return None
        ours = message.invitation
        others = [at for pk, at in self.recent.get(ours.customer_id, []) if pk != ours.pk]
        until = max(others) + FLOOR if others else now
        return until if until > now else None

    def _rules(self, invitation: Invitation, now: datetime) -> list[tuple[str, bool, str]]:
        survey, wave = invitation.survey, invitation.wave
        digest = self.digests.get(invitation.customer.email or "")
        families = {(digest, survey.family_id), (digest, None)}
        wave_is = wave.state if wave else ""
        stop, hold = State.CANCELLED, State.HELD
        return [
            (stop, digest is None, NO_ADDRESS),
            (stop, invitation.has_expired(now), "The invitation expired before it could be sent."),
            (stop, not survey.is_open, "The survey was closed."),
            (stop, wave_is == Wave.State.STOPPED, "The wave was stopped."),
            (stop, invitation.pk in self.answered, "The customer has answered already."),
            (stop, bool(families & self.suppressed), NOT_ASKED),
            (hold, bool(survey.paused_reason), PAUSED),
            (hold, wave_is == Wave.State.PAUSED, WAVE_PAUSED),
        ]


def why_not_by_hand(customer: Customer) -> str:
    """Why no colleague can write to the customer; empty: they can, also to who wants no surveys."""
    if not customer.email:
        return "The customer has no e-mail address."
    of_all = Suppression.objects.filter(digest=Suppression.hash(customer.email), family=None)
    found = of_all.exclude(reason=Suppression.Reason.UNSUBSCRIBED).first()
    return WHY_NOT[Suppression.Reason(found.reason)] if found else ""


def _asked_since(since: datetime, customers: set[int]) -> dict[int, list[tuple[int, datetime]]]:
    """By customer: each invitation whose mail the server took, or may have taken, and when."""
    found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    given = Message.objects.filter(
        kind__in=SPACED, state__in=[State.SENDING, State.SENT, State.IN_DOUBT]
    ).annotate(given_at=Coalesce("sent_at", "handed_at"))
    rows = given.filter(given_at__gt=since, invitation__customer__in=customers).order_by()
    for customer, pk, at in rows.values_list("invitation__customer", "invitation", "given_at"):
        found[customer].append((pk, at))
    return found
