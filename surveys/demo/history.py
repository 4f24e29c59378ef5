"""What is long settled, written in bulk: the very rows that the verbs would have left behind.

The tests play a part of the story through the verbs and compare the two.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Value
from django.db.models.functions import Cast as CastTo
from django.db.models.functions import Concat

from surveys.demo.cast import Cast
from surveys.demo.company import MIRA
from surveys.demo.story import WAVES, Answer, Asked
from surveys.loop import silence
from surveys.models import (
    DEADLINE,
    AuditEntry,
    Contact,
    Customer,
    Invitation,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    User,
    Wave,
)

BATCH = 2_000
TAKEN_BEFORE = timedelta(minutes=5)  # a task that nobody owned is taken before the first call


class History:
    """Writes `asked`; answers from `live_since` on are left to the verbs."""

    def __init__(self, cast: Cast, live_since: datetime, tell: Callable[[str], None]):
        self.cast, self.live_since, self.tell = cast, live_since, tell
        self.audit: list[AuditEntry] = []

    def write(self, asked: list[Asked]) -> list[Invitation]:
        """Returns the invitations, in the order of `asked`."""
        waves = self._waves(asked)
        invitations = Invitation.objects.bulk_create(
            [self._invitation(n, one, waves) for n, one in enumerate(asked)], BATCH
        )
        self.tell(f"invitations {len(invitations):,}")
        _mailed(invitations)
        self._answers(
            [pair for pair in zip(asked, invitations, strict=True) if self._settled(pair[0])]
        )
        _name_the_mails()
        AuditEntry.objects.bulk_create(sorted(self.audit, key=lambda entry: entry.at), BATCH)
        return invitations

    def _settled(self, one: Asked) -> bool:
        return one.answer is not None and one.answer.at < self.live_since

    def _waves(self, asked: list[Asked]) -> dict[int, Wave]:
        by, last = self.cast.users[MIRA], max(row.pk for row in self.cast.customers.values())
        waves = {}
        for number, (segment, _) in enumerate(WAVES):
            audience = [one for one in asked if one.wave == number]
            if not audience:
                continue
            at = audience[0].at
            waves[number] = Wave.objects.create(
                survey=self.cast.surveys["nps"], name=f"NPS {segment}, {at:%B %Y}",
                segment=segment, state=Wave.State.LAUNCHED, launched_at=at, launched_by=by,
                planned_up_to=last,
            )  # fmt: skip
            self._note("launch", waves[number], at, by, after={"audience": len(audience)})
        return waves

    def _invitation(self, number: int, one: Asked, waves: dict[int, Wave]) -> Invitation:
        survey, customer = (
            self.cast.surveys[one.kind],
            self.cast.customers[one.customer.external_id],
        )
        wave = waves.get(one.wave) if one.wave is not None else None
        return Invitation(
            survey=survey, customer=customer, wave=wave,
            occasion=wave.occasion if wave else f"helpdesk:T-{10_000 + number}",
            product=one.product or survey.product, language=customer.language,
            decision="ask" if customer.email else "no_address",
            created_at=one.at, expires_at=one.at + timedelta(days=survey.valid_days),
        ).seal()  # fmt: skip

    def _answers(self, pairs: list[tuple[Asked, Invitation]]) -> None:
        responses = Response.objects.bulk_create(
            [_response(one.answer, invitation) for one, invitation in pairs], BATCH
        )
        first_versions(responses)
        self.tell(f"answers {len(responses):,}")
        bad = [
            (one, response)
            for (one, _), response in zip(pairs, responses, strict=True)
            if one.followup is not None
        ]
        tasks = OutreachTask.objects.bulk_create([self._task(*pair) for pair in bad], BATCH)
        self.tell(f"outreach tasks {len(tasks):,}")
        self._worked([(one, task) for (one, _), task in zip(bad, tasks, strict=True)])

    def _task(self, one: Asked, response: Response) -> OutreachTask:
        done, end = one.followup, one.followup.closing
        reached = [step.at for step in done.steps if step.outcome in Contact.REACHED]
        fields = {} if end is None else {
            "state": OutreachTask.State.CLOSED, "closed_at": end.at, "closings": 1,
            "outcome": end.outcome,
            "root_cause": self.cast.causes[end.cause], "action": end.action,
        }  # fmt: skip
        return OutreachTask(
            response=response, customer=response.customer, owner=self.cast.users.get(one.owner),
            started_at=response.answered_at, due_at=response.answered_at + DEADLINE,
            first_contact_at=min(reached, default=None),
            version=1 + len(done.steps) + bool(end) + was_taken(one, response.customer), **fields,
        )  # fmt: skip

    def _worked(self, pairs: list[tuple[Asked, OutreachTask]]) -> None:
        contacts, mails = [], []
        for one, task in pairs:
            first_owner = task.customer.account.owner
            after = {"owner": first_owner and first_owner.pk, "cause": task.cause,
                     "due_at": task.due_at.isoformat()}  # fmt: skip
            self._note("open", task, task.started_at, None, after=after)
            if first_owner:
                mails.append(_told(task, first_owner))
            contacts += self._contacts(one, task)
        Contact.objects.bulk_create(contacts, BATCH)
        Message.objects.bulk_create(mails, BATCH)

    def _contacts(self, one: Asked, task: OutreachTask) -> list[Contact]:
        done, by = one.followup, task.owner
        if was_taken(one, task.customer):
            self._note("assign", task, done.steps[0].at - TAKEN_BEFORE, by,
                       before={"owner": None}, after={"owner": by.pk})  # fmt: skip
        for step in done.steps:
            after = {"channel": step.channel, "outcome": step.outcome}
            self._note("contact", task, step.at, by, after=after)
        if end := done.closing:
            after = {"root_cause": task.root_cause_id, "outcome": end.outcome, "action": end.action}
            self._note("close", task, end.at, by, after=after)
        return [
            Contact(task=task, user=by, channel=step.channel, outcome=step.outcome,
                    note=step.note, logged_at=step.at)
            for step in done.steps
        ]  # fmt: skip

    def _note(self, verb: str, noun: Wave | OutreachTask, at: datetime, by: User | None,
              **change: dict) -> None:  # fmt: skip
        self.audit.append(
            AuditEntry(
                at=at, actor=by, verb=verb, noun=noun._meta.model_name, noun_id=noun.pk, **change
            )
        )


def was_taken(one: Asked, customer: Customer) -> bool:
    """Nobody owned the account, so a colleague took the task."""
    return bool(one.owner) and customer.account.owner_id is None


def first_versions(responses: list[Response]) -> None:
    ResponseVersion.objects.bulk_create(
        [
            ResponseVersion(response=row, number=1, score=row.score, comment=row.comment,
                            recorded_at=row.answered_at)
            for row in responses
        ],
        BATCH,
    )  # fmt: skip


def loose_response(answer: Answer, **fields: object) -> Response:
    """The row of an answer that belongs to no invitation: imported, or from an open link."""
    return Response(
        kind=answer.kind, score=answer.score, band=answer.band, comment=answer.comment,
        product=answer.product, segment=answer.segment, language=answer.language,
        answered_at=answer.at, finished_at=answer.at, **fields,
    )  # fmt: skip


def _response(answer: Answer, invitation: Invitation) -> Response:
    customer = invitation.customer
    return Response(
        survey=invitation.survey, kind=answer.kind, invitation=invitation, customer=customer,
        score=answer.score, band=answer.band, comment=answer.comment, answered_at=answer.at,
        finished_at=answer.at, language=invitation.language, product=invitation.product,
        segment=customer.current_segment,
    )  # fmt: skip


def _mailed(invitations: list[Invitation]) -> None:
    Message.objects.bulk_create(
        [
            _sent(
                row.created_at, kind="invitation", dedupe_key=f"invite:{row.pk}:0", invitation=row
            )
            for row in invitations
            if row.decision == Invitation.Decision.ASK
        ],
        BATCH,
    )


def _name_the_mails() -> None:
    """The Message-ID that `delivery.claim` would have given to each."""
    domain = settings.CONTACT_EMAIL.rpartition("@")[2]
    parts = (Value("<voc."), CastTo("pk", CharField()), Value("."), "kind", Value(f"@{domain}>"))
    Message.objects.filter(state=Message.State.SENT).update(message_id=Concat(*parts))


def _told(task: OutreachTask, owner: User) -> Message:
    key = f"task-opened:{task.pk}:{owner.pk}"
    return _sent(task.started_at, kind="task_opened", dedupe_key=key, task=task, user=owner)


def tell_of_silence(now: datetime) -> None:
    """Each owner has heard of their silent key contacts in time, and not of all of them now."""
    silent = silence.due(now).values_list("pk", "customer__account__owner", "silent_at")
    Message.objects.bulk_create(
        _sent(at, kind="contact_silent", dedupe_key=f"silent:{pk}", invitation_id=pk, user_id=owner)
        for pk, owner, at in silent
    )
    _name_the_mails()


def _sent(at: datetime, **about: object) -> Message:
    return Message(
        state=Message.State.SENT, created_at=at, next_at=at, attempts=1,
        handed_at=at + timedelta(seconds=3), sent_at=at + timedelta(seconds=4),
        **about,
    )  # fmt: skip
