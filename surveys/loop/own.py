"""Own: who looks after a task. The account's owner; while they are away, their cover; and for
accounts that nobody looks after, whoever of the team responsible is here and has the fewest open.

What nobody can be found for stays unassigned, where those who lead see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max, Q

from surveys.loop import tell
from surveys.models import Absence, Account, AuditEntry, OutreachTask, Role, Team, User
from surveys.models.outreach import OutreachTasks

SETTLE = "surveys.tasks.settle_owners"
BATCH = 200
# Of an account whose owner changes. Who sends the change may choose otherwise each time.
TASKS_MOVE_ALONG = True


class Rota:
    """Who is here on the day of `now` (UTC, as for what a cover sees), read once for many tasks."""

    def __init__(self, now: datetime):
        day = now.date()
        self.users = {user.pk: user for user in User.objects.filter(is_active=True)}
        rows = Absence.objects.filter(first_day__lte=day, last_day__gte=day).order_by("-pk")
        self.covers = dict(rows.values_list("user_id", "cover_id"))  # of several, the first entered

    def standing_in(self, user_id: int | None) -> User | None:
        """Who does the work of that colleague today: they, or who covers them, or who covers those.

        When everybody of them is away it stays with the colleague; None: who has left has no cover.
        """
        seen: set[int | None] = set()
        at = user_id
        while at in self.covers and at not in seen:
            seen.add(at)
            at = self.covers[at]
        here = None if at in seen else self.users.get(at or 0)
        return here or self.users.get(user_id or 0)

    def is_here(self, user: User) -> bool:
        return user.pk not in self.covers

    def members(self, team: Team | None, role: str) -> list[User]:
        return [u for u in self.users.values() if team and u.team_id == team.pk and u.role == role]


# Who gets a new task of an account: its owner, or who covers them today; nobody (null): whoever
# `settle` finds within seconds. Follows a join of surveys_account as `account`.
JOIN_FIRST_OWNER = """
LEFT JOIN LATERAL (
    SELECT colleague.id FROM surveys_user colleague
    WHERE colleague.is_active
      AND colleague.id = coalesce((
          SELECT cover_id FROM surveys_absence
          WHERE user_id = account.owner_id
            AND (%(now)s AT TIME ZONE 'UTC')::date BETWEEN first_day AND last_day
          ORDER BY id LIMIT 1
      ), account.owner_id)
      AND NOT EXISTS (
          SELECT FROM surveys_absence
          WHERE user_id = colleague.id
            AND (%(now)s AT TIME ZONE 'UTC')::date BETWEEN first_day AND last_day)
) first_owner ON true
"""


class Teams:
    """The teams that take what is nobody's."""

    def __init__(self, teams: Iterable[Team]):
        self.teams = list(teams)

    @classmethod
    def all(cls) -> Teams:
        return cls(Team.objects.filter(takes_unowned=True).order_by("pk"))

    def responsible(self, segment: str) -> Team | None:
        """The one that names the segment, else the one that names none; the first of several."""
        naming = (team for team in self.teams if segment in team.segments)
        return next(naming, next((team for team in self.teams if not team.segments), None))


class Deal:
    """Deals tasks out within teams. Call it in a transaction: a team has one dealer at a time, for
    two would both give to whoever has the fewest."""

    def __init__(self, rota: Rota):
        locked = Team.objects.select_for_update(no_key=True).filter(takes_unowned=True)
        self.teams = Teams(locked.order_by("pk"))
        self.hands = {team.pk: self._hand(team, rota) for team in self.teams.teams}
        people = [user.pk for hand in self.hands.values() for user in hand]
        theirs = OutreachTask.objects.filter(owner__in=people).order_by()
        self.open = Counter(dict(theirs.open().values_list("owner").annotate(Count("pk"))))
        self.latest = dict(theirs.values_list("owner").annotate(Max("started_at")))
        self.turn = 0

    @staticmethod
    def _hand(team: Team, rota: Rota) -> list[User]:
        """Account managers; a team that has none here leaves it to its leads."""
        for role in (Role.ACCOUNT_MANAGER, Role.TEAM_LEAD):
            if here := [user for user in rota.members(team, role) if rota.is_here(user)]:
                return here
        return []

    def to(self, segment: str) -> User | None:
        """Whoever has the fewest open tasks; of several, whoever has waited longest for one."""
        team = self.teams.responsible(segment)
        hand = self.hands[team.pk] if team else []
        if not hand:
            return None
        chosen = min(hand, key=lambda one: (self.open[one.pk], self._last(one), one.pk))
        self.open[chosen.pk] += 1
        self.turn += 1
        self.latest[chosen.pk] = self.turn
        return chosen

    def _last(self, user: User) -> tuple[int, float]:
        """Before all those that this dealer has given to: those that got theirs earlier."""
        last = self.latest.get(user.pk)
        if isinstance(last, int):
            return 2, last
        return (1, last.timestamp()) if last else (0, 0)

    def segments(self) -> Q:
        """Tasks for which somebody is here."""
        able = [team for team in self.teams.teams if self.hands[team.pk]]
        named = {segment for team in self.teams.teams for segment in team.segments}
        found = Q(pk__in=[])
        for team in able:
            found |= Q(response__segment__in=team.segments)
            if not team.segments:
                found |= ~Q(response__segment__in=named)
        return found


def settle(now: datetime) -> int:
    """Find an owner for each open task without one, and for those of colleagues who have left.

    Not for what a person has given to nobody on purpose. Returns how many have moved. Whose task it
    was is not told any more, if the mail is still waiting.
    """
    left = OutreachTask.objects.open().filter(owner__is_active=False)
    return _settle(left, now) + _settle(None, now)


def leave(colleague: User, by: User | None, now: datetime) -> int:
    """A colleague has left: their open tasks go on to others. Returns how many there were.

    Call it once `is_active` is off; without a call the sweep finds them within seconds.
    """
    moved = 0
    theirs = OutreachTask.objects.open().filter(owner=colleague)
    while done := _settle(theirs, now, by):
        moved += done
    return moved


def follow(account: Account, before: int | None, now: datetime, by: User | None = None) -> int:
    """The account has a new owner: the open tasks of the one `before` (a key) and those that were
    nobody's go to them, or to who covers them. Returns how many.

    What was handed to somebody else stays with them. Call it in the transaction of the change.
    """
    to = Rota(now).standing_in(account.owner_id)
    if to is None:
        return 0
    rows = followers(OutreachTask.objects.filter(customer__account=account), before, to)
    return move(rows, to, now, by, f"{account} has a new owner.")


def followers(rows: OutreachTasks, before: int | None, to: User) -> OutreachTasks:
    """Those of `rows` that go to `to`, who looks after their account now, and `before` did not."""
    return rows.open().filter(Q(owner=before) | Q(owner=None)).exclude(owner=to)


@transaction.atomic
def move(rows: OutreachTasks, to: User, now: datetime, by: User | None, why: str) -> int:
    """Give those of `rows` that are open to `to`. What somebody else works on at this instant is
    waited for."""
    moved = 0
    while tasks := _locked(rows.open().exclude(owner=to).order_by("pk"), waits=True):
        for task in tasks:
            _give(task, to, now, by, why)
        moved += len(tasks)
    return moved


@transaction.atomic
def _settle(rows: OutreachTasks | None, now: datetime, by: User | None = None) -> int:
    """One batch; without `rows`, of what is nobody's."""
    if rows is not None and not rows.exists():
        return 0
    rota = Rota(now)
    deal = Deal(rota)
    moved = 0
    mine = _unowned(deal) if rows is None else rows
    for task in _locked(mine.order_by("due_at", "pk")):
        account = task.customer.account
        keeper = account.owner_id if account else None
        to = rota.standing_in(task.owner_id) or rota.standing_in(keeper)
        why = "Looks after the account." if to else "Fewest open tasks of the team."
        to = to or deal.to(task.response.segment)
        if task.owner_id:
            why = f"{task.owner} has left."
        if to or task.owner_id:
            _give(task, to, now, by, why)
            moved += 1
    return moved


def _unowned(deal: Deal) -> OutreachTasks:
    nobodys = OutreachTask.objects.open().filter(owner=None, assigned_at=None)
    return nobodys.filter(Q(customer__account__owner__is_active=True) | deal.segments())


def _locked(rows: OutreachTasks, *, waits: bool = False) -> list[OutreachTask]:
    """A batch. What others hold is left for the next sweep, unless it `waits` for them."""
    mine = rows.select_for_update(of=("self",), skip_locked=not waits, no_key=True)
    # What is joined to a row is as it was when the query began: whose task it is to be is read
    # once the row is locked.
    return list(mine.prefetch_related("customer__account", "response", "owner")[:BATCH])


def _give(task: OutreachTask, to: User | None, now: datetime, by: User | None, why: str) -> None:
    before, task.owner = task.owner_id, to
    task.assigned_at = now if to else None
    task.version += 1
    task.save(update_fields=["owner", "assigned_at", "version"])
    after = {"owner": task.owner_id}
    AuditEntry.record(
        "assign", task, now, actor=by, before={"owner": before}, after=after, reason=why
    )
    tell.new_task(task, now)
