"""The chain of command of a task: owner, team lead, head, executive, as people with an address."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

from surveys.loop.own import Rota, Teams
from surveys.models import (
    Account,
    EscalationPolicy,
    EscalationRecipient,
    OutreachTask,
    Role,
    Team,
    Tier,
    User,
)
from surveys.models.escalation import ForSomeAccounts, Person

Scoped = TypeVar("Scoped", bound=ForSomeAccounts)


class Chain:
    """Read once for many tasks, as it stands at `now`.

    Where a place is empty the next one above it hears of the task, and program managers stand in
    for leads, heads and executives whom nobody has named.
    """

    def __init__(self, now: datetime):
        self.rota = Rota(now)
        self.teams = Teams.all()
        self.by_id = {team.pk: team for team in Team.objects.all()}
        told = EscalationRecipient.objects.filter(is_active=True).most_particular_first()
        self.named = list(told)
        in_force = EscalationPolicy.objects.filter(is_active=True).prefetch_related("steps")
        self.policies = list(in_force.most_particular_first())

    def policy_of(self, task: OutreachTask) -> EscalationPolicy | None:
        segment, account = task.response.segment, task.customer.account
        return next((one for one in self.policies if one.covers(segment, account)), None)

    def told(self, task: OutreachTask, tiers: Iterable[int]) -> list[Person]:
        """Whoever stands in those places of the task's chain, each address once."""
        people = [person for tier in tiers for person in self._in_place(task, tier)]
        return list({person.email.lower(): person for person in reversed(people)}.values())[::-1]

    def _in_place(self, task: OutreachTask, tier: int) -> list[Person]:
        if tier == Tier.OWNER:
            owner = self.rota.standing_in(task.owner_id)
            return [owner] if owner else self._in_place(task, Tier.LEAD)
        if tier == Tier.LEAD:
            return [*self._leads(task)] or [*self._managers()]
        return [*self._named(task, tier)] or [*self._managers()]

    def _leads(self, task: OutreachTask) -> list[User]:
        """Of the owner's team, or of the one that is responsible for what is nobody's."""
        owner = self.rota.users.get(task.owner_id or 0)
        team = self.by_id.get(owner.team_id or 0) if owner else None
        team = team or self.teams.responsible(task.response.segment)
        leads = self.rota.members(team, Role.TEAM_LEAD)
        return [standing for lead in leads if (standing := self.rota.standing_in(lead.pk))]

    def _named(self, task: OutreachTask, tier: int) -> list[EscalationRecipient]:
        """Those for the fewest accounts that this one is among; several with one scope are told."""
        here = [one for one in self.named if one.tier == tier]
        covering = _covering(here, task.response.segment, task.customer.account)
        return [one for one in covering if one.scope == covering[0].scope]

    def _managers(self) -> list[User]:
        for role in (Role.PROGRAM_MANAGER, Role.ADMINISTRATOR):
            if people := [user for user in self.rota.users.values() if user.role == role]:
                return people
        return []


def _covering(rows: list[Scoped], segment: str, account: Account | None) -> list[Scoped]:
    return [row for row in rows if row.covers(segment, account)]
