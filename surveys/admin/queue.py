"""The views of the queue: one name per question an account manager or a lead asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.contrib.admin import SimpleListFilter
from django.db.models import Count, Q
from django.utils import timezone

from surveys.admin.base import Rows
from surveys.models import OutreachTask, Role, User

OPEN = Q(state=OutreachTask.State.OPEN)
UNREACHED = OPEN & Q(first_contact_at=None)


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    rows: Q
    empty: str  # what to do next when there is nothing


def tabs(user: User, now: datetime) -> list[Tab]:
    """The tabs that make sense for `user`, in the order in which the day needs them."""
    mine = Tab("mine", "My open tasks", OPEN & Q(owner=user), "Nothing waits for you. Well done.")
    team = Tab("team", "My team's", OPEN & Q(owner__team=user.team_id), "Your team is done.")
    nobody = Tab("unassigned", "Unassigned", OPEN & Q(owner=None), "Every open task has an owner.")
    day_ends = Q(due_at__gte=now, due_at__lt=end_of_day(now))
    shared = [
        Tab("today", "Due today", UNREACHED & day_ends, "Nothing more falls due today."),
        Tab("overdue", "Overdue", UNREACHED & Q(due_at__lt=now), "Nothing is overdue."),
        Tab("open", "All open", OPEN, "Nobody is waiting for a call."),
        Tab("closed", "Closed", ~OPEN, "Nothing has been closed yet. Closed tasks stay here."),
        Tab("all", "All", Q(), "A task opens by itself when a detractor answers."),
    ]
    leads = user.role in {Role.TEAM_LEAD, Role.PROGRAM_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR}
    has_team = leads and user.team_id is not None
    works = user.role != Role.AUDITOR
    return [*([mine] if works else []), *([team] if has_team else []),
            *([nobody] if leads else []), *shared]  # fmt: skip


def first_tab(user: User) -> str:
    """What `user` sees on opening the queue."""
    if user.role == Role.ACCOUNT_MANAGER:
        return "mine"
    return "team" if user.role == Role.TEAM_LEAD and user.team_id else "open"


def end_of_day(now: datetime) -> datetime:
    """The reader's next midnight."""
    tomorrow = timezone.localtime(now).date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(tomorrow, time.min))


def counts(user: User, now: datetime) -> dict[str, int]:
    """How many tasks stand under each tab, in one query."""
    of_each = {tab.name: Count("pk", filter=tab.rows) if tab.rows else Count("pk")
               for tab in tabs(user, now)}  # fmt: skip
    return OutreachTask.objects.visible_to(user).aggregate(**of_each)


def opening_tab(user: User, name: str = "") -> Tab:
    """The tab called `name`, or the one that the queue opens with."""
    offered = {tab.name: tab for tab in tabs(user, timezone.now())}
    return offered.get(name, offered[first_tab(user)])


def current(request) -> Tab:
    return opening_tab(request.user, request.GET.get("queue", ""))


class Queue(Rows):
    """A tab is a place, not a filter: the filter button lights up for the others only."""

    def __init__(self, request, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.has_active_filters = any(name != "queue" for name in self.filter_params)


class QueueFilter(SimpleListFilter):
    """Keeps the chosen tab while other filters are changed; the tabs themselves are its choices."""

    title = "queue"
    parameter_name = "queue"
    template = "admin/surveys/queue_filter.html"

    def lookups(self, request, model_admin):
        self.tab = current(request)
        return [(tab.name, tab.title) for tab in tabs(request.user, timezone.now())]

    def queryset(self, request, queryset):
        return queryset.filter(self.tab.rows)

    def choices(self, changelist) -> Iterator[dict]:
        yield {"name": self.parameter_name, "value": self.tab.name}
