"""The views of the queue: one name per question an account manager or a lead asks of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone

from surveys import themes
from surveys.admin.base import Rows
from surveys.loop import confirm
from surveys.models import Absence, Confirmation, Message, OutreachTask, Role, User
from surveys.models.call_order import CallOrder, in_order, midnight
from surveys.models.confirmations import GOOD_FOR
from surveys.models.outreach import OutreachTasks

OPEN = Q(state=OutreachTask.State.OPEN)
LEADS = {Role.TEAM_LEAD, Role.PROGRAM_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR}
LATEST_FIRST = {"confirming": "-closed_at", "closed": "-closed_at", "all": "-started_at"}


@dataclass(frozen=True)
class Tab:
    """A place of the queue; `rows` may ask for the `deadline` of `with_deadline`."""

    name: str
    title: str
    rows: Q
    empty: str  # what to do next when there is nothing
    then: str = ""  # the tab where there may be something
    hides: bool = False  # while there is nothing

    @property
    def is_in_call_order(self) -> bool:
        return self.name not in LATEST_FIRST


def tabs(user: User, now: datetime) -> list[Tab]:
    """The tabs that make sense for `user`, in the order in which the day needs them."""
    mine = Tab("mine", "My open tasks", OPEN & Q(owner=user) & ~asleep(now),
               "Nothing waits for you. Well done.", "open")  # fmt: skip
    away = Absence.covered_by(user, now.date())
    covering = Tab("covering", "Whom I cover for", OPEN & Q(owner__in=away),
                   "Nothing waits with those whom you cover for.", "mine", hides=True)  # fmt: skip
    team = Tab("team", "My team's", OPEN & Q(owner__team=user.team_id),
               "Your team is done.", "closed")  # fmt: skip
    nobody = Tab("unassigned", "Unassigned", OPEN & Q(owner=None),
                 "Every open task has an owner.", "open")  # fmt: skip
    today = OPEN & Q(deadline__gte=now, deadline__lt=end_of_day(now))
    shared = [
        Tab("today", "Due today", today, "Nothing more falls due today.", "open"),
        Tab("overdue", "Overdue", OPEN & Q(deadline__lt=now), "Nothing is overdue.", "today"),
        Tab("open", "All open", OPEN,
            "Nobody is waiting for a call. A task opens by itself when a detractor answers."),
        Tab("confirming", "Waiting for confirmation", confirming(now),
            "No closed task waits for its customer’s word. They are asked a while after the "
            "closing whether somebody got back to them, and whether it helped.", "closed"),
        Tab("closed", "Closed", ~OPEN, "Nothing has been closed yet. Closed tasks stay here.",
            "open"),
        Tab("all", "All", Q(), "A task opens by itself when a detractor answers."),
    ]  # fmt: skip
    has_team = user.role in LEADS and user.team_id is not None
    works = user.role != Role.AUDITOR
    return [*([mine, covering] if works else []), *([team] if has_team else []),
            *([nobody] if user.role in LEADS else []), *shared]  # fmt: skip


def asleep(now: datetime) -> Q:
    """Snoozed: out of “mine” until then, and out of nothing else."""
    return Q(snoozed_until__isnull=False, snoozed_until__gt=now)


def confirming(now: datetime) -> Q:
    """Closed, and the customer's own word about this closing is still to come: they are asked soon,
    or have been asked and have not answered yet."""
    words = Confirmation.objects.filter(task=OuterRef("pk"), number=OuterRef("closings"))
    silent = words.filter(answered_at=None, asked_at__gt=now - GOOD_FOR)
    mailed = silent.exclude(messages__state=Message.State.CANCELLED)
    until_asked = timedelta(hours=settings.CONFIRM_AFTER_HOURS) + confirm.NEWS_FOR
    to_be_asked = Q(
        ~Exists(words),
        closed_at__gt=now - until_asked,
        customer__email__isnull=False,
        response__invitation__isnull=False,
    )
    lately = Q(state=OutreachTask.State.CLOSED, closed_at__gt=now - until_asked - GOOD_FOR)
    return lately & (Q(Exists(mailed)) | to_be_asked)


def first_tab(user: User) -> str:
    """What `user` sees on opening the queue."""
    if user.role == Role.ACCOUNT_MANAGER:
        return "mine"
    return "team" if user.role == Role.TEAM_LEAD and user.team_id else "open"


def end_of_day(now: datetime) -> datetime:
    """The reader's next midnight."""
    zone = timezone.get_current_timezone()
    return midnight(now.astimezone(zone).date() + timedelta(days=1), zone)


def counts(user: User, now: datetime) -> dict[str, int]:
    """How many tasks stand under each tab, and how many of the reader's own are asleep; one query,
    of which each part goes by an index of its own."""
    asked = {tab.name: tab.rows for tab in tabs(user, now)}
    asked["asleep"] = OPEN & Q(owner=user) & asleep(now)
    first, *others = (_counted(user, name, rule) for name, rule in asked.items())
    return dict.fromkeys(asked, 0) | dict(first.union(*others, all=True))  # who sees none has none


def shown(user: User, now: datetime, numbers: Mapping[str, int], at: str = "") -> list[Tab]:
    """The tabs worth showing by their `counts`; `at` is the one that is open, if any."""
    offered = tabs(user, now)
    return [tab for tab in offered if numbers[tab.name] or not tab.hides or tab.name == at]


def _counted(user: User, name: str, rule: Q) -> QuerySet:
    rows = OutreachTask.objects.visible_to(user).with_deadline().filter(rule).order_by()
    return rows.values(tab=Value(name)).annotate(n=Count("pk")).values_list("tab", "n")


def opening_tab(user: User, name: str = "", now: datetime | None = None) -> Tab:
    """The tab called `name`, or the one that the queue opens with; `now` is the clock's if left
    out, as for the number beside the menu."""
    offered = {tab.name: tab for tab in tabs(user, now or timezone.now())}
    return offered.get(name, offered[first_tab(user)])


def asked_at(request) -> datetime:
    """One instant for all that a page says, so that what it counts is what it shows."""
    if not hasattr(request, "asked_at"):
        request.asked_at = timezone.now()
    return request.asked_at


def current(request) -> Tab:
    return opening_tab(request.user, request.GET.get("queue", ""), asked_at(request))


class Queue(Rows):
    """Most urgent first, unless the reader sorts by a column.

    A tab is a place, not a filter: the filter button lights up for the others only.
    """

    def __init__(self, request, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.has_active_filters = any(name != "queue" for name in self.filter_params)

    def get_results(self, request):
        super().get_results(request)
        rows = self.result_list
        if isinstance(rows, QuerySet) and is_in_call_order(request):  # all of it is on one page
            rows = in_order(rows, asked_at(request), timezone.get_current_timezone())
        self.result_list = list(rows)
        found = themes.main_themes([task.response_id for task in self.result_list])
        may_work = request.user.has_perm("surveys.change_outreachtask")
        for task in self.result_list:
            task.shown_at = asked_at(request)
            task.theme = found.get(task.response_id, "")
            is_open = task.state == OutreachTask.State.OPEN
            task.may_be_taken = may_work and is_open and task.owner_id != request.user.pk


def is_in_call_order(request) -> bool:
    return current(request).is_in_call_order and not request.GET.get(ORDER_VAR)


def pages(request, rows: OutreachTasks, size: int) -> Paginator:
    if not is_in_call_order(request):
        return Paginator(rows, size)
    zone = timezone.get_current_timezone()
    return Paginator(CallOrder(rows, asked_at(request), zone), size)


class QueueFilter(SimpleListFilter):
    """Keeps the chosen tab while other filters are changed; the tabs themselves are its choices."""

    title = "queue"
    parameter_name = "queue"
    template = "admin/surveys/queue_filter.html"

    def lookups(self, request, model_admin):
        self.tab = current(request)
        return [(tab.name, tab.title) for tab in tabs(request.user, asked_at(request))]

    def queryset(self, request, queryset):
        return queryset.filter(self.tab.rows)

    def choices(self, changelist) -> Iterator[dict]:
        yield {"name": self.parameter_name, "value": self.tab.name}
