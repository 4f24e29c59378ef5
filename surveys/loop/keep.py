"""Keep: a view of the queue under a name of one's own, for oneself or for the team."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.models import AuditEntry, SavedView, User
from surveys.models.saved_views import MOST


class CannotKeep(Exception):
    """The view has no name, or there are too many; the message says what to do."""


@transaction.atomic
def keep(user: User, name: str, query: str, is_shared: bool, now: datetime) -> SavedView:
    """Save `query` (of the queue's address) as `name`, in place of the view that has this name.

    Shared: colleagues of the user's team see it, too. Raises CannotKeep.
    """
    name = " ".join(name.split())
    if not name:
        raise CannotKeep("Give the view a name.")
    User.objects.select_for_update(no_key=True).get(
        pk=user.pk
    )  # one at a time, so that they add up
    view = SavedView.objects.filter(user=user, name=name).first()
    if view is None and SavedView.objects.filter(user=user).count() >= MOST:
        raise CannotKeep(f"You have {MOST} views already. Remove one first.")
    verb, before = ("change", _said(view)) if view else ("add", {})
    view = view or SavedView(user=user, name=name)
    view.query, view.is_shared, view.saved_at = query, is_shared, now
    view.save()
    AuditEntry.record(verb, view, now, actor=user, before=before, after=_said(view))
    return view


@transaction.atomic
def let_go(view: SavedView, by: User, now: datetime) -> None:
    """Remove one's own view. Removing it twice is once."""
    fresh = SavedView.objects.select_for_update().filter(pk=view.pk, user=by).first()
    if fresh:
        AuditEntry.record("delete", fresh, now, actor=by, before=_said(fresh))
        fresh.delete()


def _said(view: SavedView) -> dict[str, object]:
    return {"name": view.name, "query": view.query, "is_shared": view.is_shared}
