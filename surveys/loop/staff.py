"""Staff: invite a colleague, and let each choose a password by a link that is mailed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.delivery.outbox import post
from surveys.models import AuditEntry, Message, User


@transaction.atomic
def invite_colleague(colleague: User, by: User | None, now: datetime) -> User:
    """Store the new colleague without a password, and mail them the link to choose one.

    Nobody invites the first one: `by` is None then.
    """
    colleague.set_unusable_password()
    colleague.save()
    after = {"role": colleague.role, "team": colleague.team_id}
    AuditEntry.record("invite", colleague, now, actor=by, after=after)
    welcome(colleague, now)
    return colleague


def welcome(colleague: User, now: datetime) -> None:
    """Mail the link (again); pressing twice within a minute sends it once."""
    post(Message.Kind.WELCOME, f"welcome:{colleague.pk}:{_minute(now)}", now, user=colleague)


def request_password_reset(email: str, now: datetime) -> None:
    """Mail the link to whoever has this address; says nothing about whether anybody does.

    At most one mail a minute, so that nobody's mailbox can be flooded from the log-in page.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user:
        key = f"password-reset:{user.pk}:{_minute(now)}"
        post(Message.Kind.PASSWORD_RESET, key, now, user=user)


@transaction.atomic
def choose_password(user: User, password: str, now: datetime) -> None:
    """Replace the password; every link mailed before is spent, every other session ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
    AuditEntry.record("choose password", user, now, actor=user)


@transaction.atomic
def prefer(user: User, notices: str, time_zone: str, now: datetime) -> User:
    """How `user` wants to be told of new tasks (models.Notices), and where their clock hangs."""
    before = {"notices": user.notices, "time_zone": user.time_zone}
    user.notices, user.time_zone = notices, time_zone
    after = {"notices": notices, "time_zone": time_zone}
    if after != before:
        user.save(update_fields=["notices", "time_zone"])
        AuditEntry.record("change", user, now, actor=user, before=before, after=after)
    return user


def _minute(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M}"
