"""The first page: my queue in figures, and what to do next. Rates live in the report."""

from __future__ import annotations

from django.db.models import Count
from django.utils import timezone

from surveys.admin import looks, queue
from surveys.delivery import lanes
from surveys.models import Message, OutreachTask, Survey, User, Wave
from surveys.models.call_order import CallOrder

MOST_URGENT = 5


def fill(request, context: dict) -> dict:
    """Unfold's hook: adds what dashboard.html shows."""
    user, now = request.user, timezone.now()
    context["title"] = f"Hello, {user.get_short_name()}"
    if user.has_perm("surveys.view_outreachtask"):
        context |= _queue(user, now)
    if user.has_perm("surveys.add_wave"):
        context["advice"] = _advice()
    if user.has_perm("surveys.view_message"):
        troubled = Message.objects.filter(state__in=["failed", "in_doubt"]).order_by("state")
        context["troubled_mails"] = list(troubled.values_list("state").annotate(Count("pk")))
        context["lane"] = lanes.in_trouble()
    return context


def open_badge(request) -> str:
    """For the sidebar: how many open tasks wait on the tab that opens first."""
    if not request.user.has_perm("surveys.view_outreachtask"):
        return ""
    tab = queue.opening_tab(request.user)
    return str(OutreachTask.objects.visible_to(request.user).filter(tab.rows).count())


def _queue(user: User, now) -> dict:
    numbers = queue.counts(user, now)
    tones = {"overdue": "red", "today": "amber"}
    shown = [t for t in queue.shown(user, now, numbers) if t.name not in {"closed", "all"}]
    figures = [
        {"tab": tab, "count": numbers[tab.name], "tone": tones.get(tab.name, "")
         if numbers[tab.name] else ""}
        for tab in shown
    ]  # fmt: skip
    first = queue.opening_tab(user)
    tasks = OutreachTask.objects.visible_to(user).with_deadline().filter(first.rows)
    waiting = tasks.filter(deadline__isnull=False).select_related("customer__account", "response")
    order = CallOrder(waiting, now, timezone.get_current_timezone())
    urgent = [(task, *looks.urgency(task, now)) for task in order[:MOST_URGENT]]
    return {"figures": figures, "urgent": urgent, "first_tab": first}


def _advice() -> list[tuple[str, str, str]]:
    """What a program manager does next on a young system: a sentence, a button, its address."""
    if not Survey.objects.exists():
        return [("There is no survey yet.", "Make the first survey", "admin:surveys_survey_add")]
    if not Wave.objects.exclude(state=Wave.State.DRAFT).exists():
        return [("Nobody has been asked yet.", "Plan a wave", "admin:surveys_wave_add")]
    return []
