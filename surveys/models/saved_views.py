"""Views of the queue that somebody has saved: a tab and filters under a name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from surveys.models.staff import User

NAME_LENGTH, QUERY_LENGTH = 40, 500
MOST = 30  # of one person; more are found by nobody


class SavedViews(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> SavedViews:
        """One's own, and what others of one's team share."""
        mine = Q(user=user)
        if user.team_id:
            mine |= Q(is_shared=True, user__team=user.team_id, user__is_active=True)
        return self.filter(mine)


class SavedView(models.Model):
    """The tab and the filters of the queue. Never what was searched for, which may be a name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(max_length=NAME_LENGTH)
    query = models.CharField(max_length=QUERY_LENGTH)  # of the address, without the question mark
    is_shared = models.BooleanField("shared with the team", default=False)
    saved_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SavedViews.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="saved_view_once_per_name")
        ]

    def __str__(self) -> str:
        return self.name
