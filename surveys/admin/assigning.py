"""Giving tasks away from the list: one by a button, many with a preview of who gets what.

Each form carries whose the task was when it was shown; who is too late is told who was quicker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from surveys.admin import looks
from surveys.admin.task_forms import candidates
from surveys.loop import hand_out, reach_out
from surveys.models import Absence, OutreachTask, User, database_now

PAGE = "admin/surveys/assign_many.html"
ASSIGN, WORK = "surveys.assign_outreachtask", "surveys.change_outreachtask"
LONGEST_BACK = 2_000  # characters


class ToForm(forms.Form):
    to = forms.ModelChoiceField(
        User.objects.none(), label="To whom", required=False, empty_label="Nobody",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    def __init__(self, *args, by: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = candidates(by)


@dataclass(frozen=True)
class Row:
    task: OutreachTask
    deadline: str
    why: str = ""  # it cannot be given


class Assigning:
    """The part of the list that gives tasks away."""

    actions = ("assign_chosen",)

    def has_assign_permission(self, request) -> bool:
        return request.user.has_perm(ASSIGN)

    def get_urls(self):
        pages = [("assign/", self.assign_many, "assign_many"),
                 ("take/", self.take_listed, "take_listed")]  # fmt: skip
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"surveys_outreachtask_{name}")
                for route, view, name in pages
            ),
            *super().get_urls(),
        ]

    @action(description="Assign…", permissions=["assign"])
    def assign_chosen(self, request, queryset):
        tasks = list(queryset.select_related(*RELATED)[: hand_out.MOST + 1])
        if len(tasks) > hand_out.MOST:
            messages.error(request, f"Choose up to {hand_out.MOST} tasks at once.")
            return None
        back = request.GET.urlencode()
        return self._page(request, tasks, ToForm(by=request.user), back)

    def assign_many(self, request: HttpRequest) -> HttpResponse:
        """The preview, and what was previewed."""
        if not request.user.has_perm(ASSIGN):
            raise PermissionDenied
        tasks = _as_seen(request)
        back = back_of(request)
        if not tasks:
            messages.error(request, "Choose tasks in the list first.")
            return back_to_list(request)
        form = ToForm(request.POST, by=request.user)
        if not form.is_valid():
            return self._page(request, tasks, form, back, status=422)
        to = form.cleaned_data["to"]
        if request.POST.get("step") != "assign":
            return self._page(request, tasks, form, back, **_preview(tasks, to))
        done = hand_out.hand_out(tasks, to, request.user, database_now())
        if done.refused:
            return self._told(request, done, form, to, back)
        messages.success(request, f"{_tasks(len(done.given))} given to {to or 'nobody'}.")
        return back_to_list(request)

    def _told(self, request, done, form, to, back) -> HttpResponse:
        """Who was quicker, with the tasks as they stand by now."""
        pks = [task.pk for task, _ in done.refused]
        fresh = _related(OutreachTask.objects.visible_to(request.user).filter(pk__in=pks))
        shown = {task.pk: task for task in fresh}
        why = {task.pk: said for task, said in done.refused}
        tasks = [shown.get(task.pk, task) for task, _ in done.refused]
        context = {"done": done, "why": why, "to": to, "given": [], "is_previewed": True}
        return self._page(request, tasks, form, back, status=409, **_load(to), **context)

    def take_listed(self, request: HttpRequest) -> HttpResponse:
        """The task is mine, and the list is where it was."""
        if not request.user.has_perm(WORK):
            raise PermissionDenied
        for task in _as_seen(request)[:1]:
            try:
                reach_out.assign(task, request.user, request.user, database_now())
                messages.success(request, f"The task of {task.customer} is yours.")
            except (reach_out.NotOpen, reach_out.ChangedMeanwhile) as refusal:
                messages.error(request, f"{task.customer}: {refusal}")
        return back_to_list(request)

    def _page(self, request, tasks, form, back, status: int = 200, **more) -> HttpResponse:
        now = timezone.now()
        why = more.pop("why", {})
        context = {
            **self.admin_site.each_context(request),
            "title": "Assign tasks",
            "opts": self.opts,
            "form": form,
            "back": back,
            "rows": [Row(task, looks.deadline(task, now), why.get(task.pk, "")) for task in tasks],
            "left_out": why,
            **more,
        }
        return TemplateResponse(request, PAGE, context, status=status)


RELATED = ("customer__account", "owner", "response")


def _related(tasks) -> list[OutreachTask]:
    return list(tasks.select_related(*RELATED).order_by("due_at", "pk"))


def _as_seen(request: HttpRequest) -> list[OutreachTask]:
    """The tasks that were sent, each with the owner that it had when it was shown; not those that
    the reader may not see."""
    sent = (each.partition(":") for each in request.POST.getlist("task")[: hand_out.MOST])
    seen = {int(pk): int(owner) if owner.isdecimal() else None
            for pk, _, owner in sent if pk.isdecimal()}  # fmt: skip
    tasks = _related(OutreachTask.objects.visible_to(request.user).filter(pk__in=seen))
    for task in tasks:
        if task.owner_id != seen[task.pk]:
            task.owner_id = seen[task.pk]
    return tasks


def _preview(tasks: Iterable[OutreachTask], to: User | None) -> dict[str, object]:
    why = {task.pk: said for task in tasks if (said := hand_out.why_not(task, to))}
    given = [task for task in tasks if task.pk not in why]
    load = _load(to)
    then = int(str(load.get("open_now", 0))) + len(given)
    return {"is_previewed": True, "to": to, "why": why, "given": given, **load, "open_then": then}


def _load(to: User | None) -> dict[str, object]:
    if to is None:
        return {}
    day = timezone.now().date()
    away = Absence.objects.filter(user=to, first_day__lte=day, last_day__gte=day)
    return {
        "open_now": OutreachTask.objects.open().filter(owner=to).count(),
        "away": away.select_related("cover").order_by("pk").first(),
    }


def _tasks(n: int) -> str:
    return f"{n} task{'s' if n != 1 else ''}"


def back_of(request: HttpRequest) -> str:
    """The query of the list that the reader came from."""
    return request.POST.get("back", "")[:LONGEST_BACK]


def back_to_list(request: HttpRequest) -> HttpResponse:
    address, query = reverse("admin:surveys_outreachtask_changelist"), back_of(request)
    return redirect(f"{address}?{query}" if query else address)
