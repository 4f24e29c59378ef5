"""From a count of the closure report to the tasks that it counts, a page at a time."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from analysis import phrases
from analysis.counts import closure_groups, tasks
from analysis.pages.door import for_holders_of, framed
from analysis.pages.filters import Choice, report_filters
from surveys.models import OutreachTask

A_PAGE = 50
GROUPS = {
    "": "All",
    "contacted_in_time": "In time",
    "late": "Late",
    "overdue": "Overdue",
    "not_yet_due_contacted": "Not yet due, contacted",
    "not_yet_due_open": "Not yet due, open",
    "withdrawn": "Withdrawn",
}


@for_holders_of("surveys.view_outreachtask")
def page(request: HttpRequest) -> HttpResponse:
    """Of the tasks that the reader may see, which may be fewer than the report counts."""
    form, filters = report_filters(
        request, now := timezone.now(), {"group": Choice(list(GROUPS.items()))}
    )
    rows = tasks(filters.scope(filters.month, filters.month)).visible_to(request.user)
    if group := form.chosen["group"]:
        rows = rows.filter(closure_groups(now)[group])
    shown = Paginator(_with_names(rows), A_PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "title": "Tasks of a month",
        "form": form,
        "month": phrases.month_name(filters.month),
        "group": GROUPS[group],
        "count": phrases.number(shown.paginator.count),
        "shown": shown,
        "query": query.urlencode(),
        "now": now,
    }
    return framed(request, "analysis/cohort.html", context)


def _with_names(rows: QuerySet[OutreachTask]) -> QuerySet[OutreachTask]:
    related = ("customer", "customer__account", "owner", "response")
    return rows.select_related(*related).order_by("started_at", "pk")
