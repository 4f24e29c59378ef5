"""Who sees which rows: one rule about accounts, which every `visible_to(user)` asks."""

from datetime import date

from django.db.models import Q
from django.utils import timezone

from surveys.models.roles import Role
from surveys.models.staff import Absence, User

SEE_EVERYTHING = {Role.ADMINISTRATOR, Role.PROGRAM_MANAGER, Role.AUDITOR}
NOTHING = Q(pk__in=[])


def owned(user: User, path: str, today: date | None = None) -> Q:
    """Rows whose owner (found at `path`, such as `customer__account__owner`; `pk` for colleagues
    themselves) concerns `user`.

    Everyone for administrators, program managers and auditors; the own team for a team lead;
    oneself and those one covers on `today` (UTC) for an account manager; nobody for the product
    team, which reads redacted comments in reports and never names.
    """
    today = today or timezone.now().date()
    if not user.is_active or user.role == Role.PRODUCT_TEAM:
        return NOTHING
    if user.role in SEE_EVERYTHING:
        return Q()
    mine = Q(**{path: user.pk}) | Q(**{f"{path}__in": Absence.covered_by(user, today)})
    if user.role == Role.TEAM_LEAD and user.team_id:
        return mine | Q(**{f"{path}__team".removeprefix("pk__"): user.team_id})
    return mine
