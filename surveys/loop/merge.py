"""Merge: two records of one customer, or of one account, become one. It cannot be undone.

Everything that hangs on the duplicate moves to the one that stays. The duplicate becomes a
signpost: it keeps its address and its CRM id, by which other systems go on finding the one that
stays, and nothing else. Scores, dates and deadlines stay as they are, and so does every rate over
all customers. Open tasks that come to another account follow its owner, by choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import ManyToOneRel, OneToOneRel, Q, QuerySet

from surveys.loop.bring import Brought, bring, coming, foreseen
from surveys.loop.own import TASKS_MOVE_ALONG
from surveys.loop.winners import FIELDS, Noun, Winner, owner_after, said, take_over, winners_of
from surveys.models import (
    Account,
    AuditEntry,
    Customer,
    CustomerProperty,
    Invitation,
    Message,
    OutreachTask,
    Response,
    Suppression,
    User,
)

MOST = 5  # rows at a time, with the one that stays
MERGED = "The customer was merged, and has another invitation on the same occasion."
# Whoever had found the duplicate before it was merged may add to it until their transaction ends.
LATECOMERS = timedelta(days=1)

# Moved in ways of their own: a row of the kind may be there already.
MOVED_WITH_CARE = {"invitations", "properties", "signposts"}
OCCASION_LENGTH = 160  # characters


class CannotMerge(Exception):
    """These cannot be one; the message says why."""


@dataclass(frozen=True)
class Preview:
    """What a merge would do, without doing it. `moves` counts rows by what they are."""

    fields: list[Winner]
    moves: Counter[str]
    clashes: int  # occasions on which both were invited: both invitations stay
    stops: bool  # one of the addresses is not to be written to, so none will be
    brought: Brought  # open tasks that get another owner, if they are to


def preview(kept: Noun, others: Sequence[Noun], now: datetime) -> Preview:
    """What merging `others` into `kept` would do. Raises CannotMerge."""
    _refuse(kept, others)
    moves: Counter[str] = Counter()
    for other in others:
        for rows in _hanging_on(other):
            moves[_plural(rows)] += rows.count()
    people = [row for row in (kept, *others) if isinstance(row, Customer)]
    winners = list(winners_of(kept, others))
    return Preview(
        fields=winners,
        moves=+moves,
        clashes=sum(_clashes(people[0], other).count() for other in people[1:]),
        stops=_of_addresses(_addresses(people)).exists(),
        brought=foreseen(coming(others), owner_after(winners), now),
    )


@transaction.atomic
def merge_customers(
    kept: Customer,
    others: Sequence[Customer],
    by: User,
    reason: str,
    now: datetime,
    move_tasks: bool = TASKS_MOVE_ALONG,
) -> Customer:
    """Merge up to four others into the customer who stays, who keeps what is known of them and
    takes over what was not. `move_tasks`: see bring. Raises CannotMerge."""
    _refuse_without(reason)
    kept, *others = _locked_customers([kept, *others])
    _refuse(kept, others)
    winners, tasks = list(winners_of(kept, others)), coming(others)
    addresses = _addresses([kept, *others])
    kept.is_key_contact = any(each.is_key_contact for each in (kept, *others))
    kept.created_at = min(each.created_at for each in (kept, *others))
    moved: Counter[str] = Counter()
    for other in others:
        moved += _move_customer(kept, other, by, now)
        _leave_signpost(kept, other, winners, now)
    _record(kept, others, moved, winners, by, reason, now)
    take_over(kept, winners)
    _stop_all(addresses)
    kept.save()
    if move_tasks:
        bring(tasks, owner_after(winners), by, now)
    return kept


@transaction.atomic
def merge_accounts(
    kept: Account,
    others: Sequence[Account],
    by: User,
    reason: str,
    now: datetime,
    move_tasks: bool = TASKS_MOVE_ALONG,
) -> Account:
    """Merge up to four others into the account that stays, with their customers. `move_tasks`: see
    bring. Raises CannotMerge."""
    _refuse_without(reason)
    kept, *others = _locked(Account, [kept, *others])
    _refuse(kept, others)
    winners, tasks = list(winners_of(kept, others)), coming(others)
    moved: Counter[str] = Counter()
    for other in others:
        moved += _move(kept, other)
        _leave_signpost(kept, other, winners, now)
    _record(kept, others, moved, winners, by, reason, now)
    take_over(kept, winners)
    kept.save()
    if move_tasks:
        bring(tasks, owner_after(winners), by, now)
    return kept


def follow_up(now: datetime) -> int:
    """Move what came to a merged one after all: an answer given, an invitation planned, an opt-out
    in the very moment of the merge. Returns how many rows have moved."""
    return sum(
        _follow(signpost, now)
        for model in (Account, Customer)
        for signpost in model.objects.filter(merged_at__gt=now - LATECOMERS).order_by("pk")
    )


@transaction.atomic
def _follow(signpost: Account | Customer, now: datetime) -> int:
    kept = signpost.merged_into
    if isinstance(signpost, Account):
        return _move(kept, signpost).total()
    _stop_all([each.email for each in (kept, signpost) if each.email])
    if not any(rows.exists() for rows in _hanging_on(signpost)):
        return 0
    kept, signpost = _locked_customers([kept, signpost])
    return _move_customer(kept, signpost, None, now).total()


def _refuse_without(reason: str) -> None:
    if not reason.strip():
        raise CannotMerge("Say how you know that they are one.")


def _refuse(kept: Noun, others: Sequence[Noun]) -> None:
    rows: list[Account | Customer] = [kept, *others]
    if len({row.pk for row in rows}) != len(rows) or len(rows) < 2:
        raise CannotMerge("Choose at least two different ones.")
    if len(rows) > MOST:
        raise CannotMerge(f"At most {MOST} can be merged at a time.")
    if any(row.merged_into_id for row in rows):
        raise CannotMerge("One of them has been merged already. Look again.")
    if any(getattr(row, "forgotten_at", None) for row in rows):
        raise CannotMerge("One of them was forgotten: nobody can tell any more who it was.")


def _locked(model: type[Noun], rows: Sequence[Noun]) -> list[Noun]:
    """The rows as they are by now, in the order given; locked in the order of their numbers."""
    locked = model.objects.select_for_update(of=("self",), no_key=True)
    fresh = {row.pk: row for row in locked.filter(pk__in=[r.pk for r in rows]).order_by("pk")}
    return [fresh[row.pk] for row in rows if row.pk in fresh]


def _locked_customers(customers: Sequence[Customer]) -> list[Customer]:
    """In the order in which other verbs lock: mails, customers, invitations, answers, tasks."""
    pks = [customer.pk for customer in customers]
    about = Q(invitation__customer__in=pks) | Q(task__customer__in=pks)
    mails = list(Message.objects.filter(about).values_list("pk", flat=True))
    _lock(Message.objects.filter(pk__in=mails))
    fresh = _locked(Customer, customers)
    _lock(Invitation.objects.filter(customer__in=pks))
    _lock(Response.objects.filter(customer__in=pks))
    _lock(OutreachTask.objects.filter(customer__in=pks))
    return fresh


def _lock(rows: QuerySet) -> None:
    list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def _addresses(customers: Sequence[Customer]) -> list[str]:
    """Theirs, and those of records merged into theirs before."""
    signposts = Customer.objects.filter(merged_into__in=customers)
    return [each.email for each in (*customers, *signposts) if each.email]


def _hanging_on(row: Account | Customer) -> Iterator[QuerySet]:
    """The rows of every table that points here, today's and those of tables still to come."""
    return (rows for name, _, rows in _pointing_at(row) if name != "signposts")


def _pointing_at(row: Account | Customer) -> Iterator[tuple[str, str, QuerySet]]:
    """The accessor, the name of the foreign key, and the rows."""
    for relation in row._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and not isinstance(relation, OneToOneRel):
            if not getattr(relation.field, "db_constraint", True):
                continue  # counts that follow their rows by themselves
            key = relation.field.name
            rows = relation.related_model._base_manager.filter(**{key: row})
            yield relation.get_accessor_name() or "", key, rows


def _move(kept: Noun, other: Noun) -> Counter[str]:
    """Point everything at `kept`; returns how many rows moved, by what they are."""
    moved: Counter[str] = Counter()
    for name, key, rows in _pointing_at(other):
        if name not in MOVED_WITH_CARE:
            moved[_plural(rows)] += rows.update(**{key: kept})
    return +moved


def _plural(rows: QuerySet) -> str:
    return str(rows.model._meta.verbose_name_plural)


def _move_customer(kept: Customer, other: Customer, by: User | None, now: datetime) -> Counter[str]:
    for task in other.tasks.all():
        before, after = {"customer": other.pk}, {"customer": kept.pk}
        AuditEntry.record("merge", task, now, actor=by, before=before, after=after)
    own_ways = {
        "invitations": _move_invitations(kept, other),
        "customer properties": _move_properties(kept, other),
    }
    return +Counter(own_ways) + _move(kept, other)


def _clashes(kept: Customer, other: Customer) -> QuerySet[Invitation]:
    """The other's invitations on occasions on which the one who stays was asked as well."""
    taken = kept.invitations.filter(
        survey=models.OuterRef("survey"), occasion=models.OuterRef("occasion")
    )
    return other.invitations.filter(models.Exists(taken))


def _move_invitations(kept: Customer, other: Customer) -> int:
    """Both of an occasion stay, with their answers; of two mails still to go out, one goes."""
    for clash in _clashes(kept, other):
        waiting = clash.messages.filter(state__in=[Message.State.QUEUED, Message.State.HELD])
        waiting.filter(kind__in=Message.OF_A_SURVEY).update(
            state=Message.State.CANCELLED, last_error=MERGED
        )
        suffix = f", merged {other.pk}"
        clash.occasion = clash.occasion[: OCCASION_LENGTH - len(suffix)] + suffix
        clash.save(update_fields=["occasion"])
    return other.invitations.update(customer=kept)


def _move_properties(kept: Customer, other: Customer) -> int:
    known = list(kept.properties.values_list("name", flat=True))
    moved = other.properties.exclude(name__in=known).update(customer=kept)
    CustomerProperty.objects.filter(customer=other).delete()
    return moved


def _of_addresses(emails: Sequence[str]) -> QuerySet[Suppression]:
    """A person's own word holds for every address of theirs; a bounce, for the one address."""
    digests = [Suppression.hash(email) for email in emails]
    return Suppression.objects.filter(digest__in=digests, reason__in=Suppression.SAID)


def _stop_all(emails: Sequence[str]) -> None:
    for stop in _of_addresses(emails).select_related("family").order_by("at"):
        for email in emails:
            Suppression.add(email, stop.reason, stop.at, stop.family)


def _leave_signpost(kept: Noun, other: Noun, winners: list[Winner], now: datetime) -> None:
    """Empty but for the address, CRM id or name that did not win, which lead here from now on."""
    won = {winner.name: winner.value for winner in winners}
    type(other)._base_manager.filter(merged_into=other).update(merged_into=kept)
    for name in FIELDS[type(other)]:
        is_lead = name in ("email", "external_id") and getattr(other, name) != won.get(name)
        if not is_lead:
            setattr(other, name, None if other._meta.get_field(name).null else "")
    other.merged_into, other.merged_at = kept, now
    if isinstance(other, Customer):
        other.is_key_contact = False
    other.save()


def _record(
    kept: Noun,
    others: Sequence[Noun],
    moved: Counter[str],
    winners: list[Winner],
    by: User,
    reason: str,
    now: datetime,
) -> None:
    taken = [winner for winner in winners if winner.value != getattr(kept, winner.name)]
    AuditEntry.record(
        "merge",
        kept,
        now,
        actor=by,
        before={winner.name: None for winner in taken},
        after={winner.name: said(kept, winner) for winner in taken}
        | {"merged": [other.pk for other in others]}
        | moved,
        reason=reason.strip(),
    )
    for other in others:
        after = {"merged_into": kept.pk}
        AuditEntry.record("merge", other, now, actor=by, after=after, reason=reason.strip())
