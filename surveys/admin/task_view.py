"""The page of one task, as its reader may see and work it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from surveys import themes
from surveys.admin import history, looks, task_story
from surveys.admin.task_forms import (
    AssignForm,
    CloseForm,
    ContactForm,
    SnoozeForm,
    WithdrawForm,
    WriteForm,
    candidates,
    tomorrow_morning,
)
from surveys.delivery import task_address
from surveys.delivery.wanted import why_not_by_hand
from surveys.loop import escalate
from surveys.models import AuditEntry, MailTemplate, OutreachTask, Tier, User

LATEST_ENTRIES = 50
RELATED = ("customer__account__owner", "response__survey", "owner", "root_cause__parent")


def show(model_admin, request: HttpRequest, pk, bound=None, status: int = 200) -> HttpResponse:
    """The page; `bound` maps a form's name to one that was refused."""
    task = task_for(model_admin, request, pk)
    now = timezone.now()
    if request.method == "GET":
        escalate.saw(task, request.user, now)
    contacts = list(task.contacts.select_related("user"))
    escalations = list(task.escalations.all())
    siblings = task_story.siblings(task, request.user)
    entries = _entries(task)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": str(task.customer),
        "subtitle": None,
        "opts": model_admin.opts,
        "original": task,
        "task": task,
        "now": now,
        "deadlines": task_story.deadlines(task, now),
        "is_asleep": task.is_asleep(now),
        "level": Tier(task.level).label if task.level else "",
        "score": looks.score(task.response),
        "revenue": looks.money(task.customer.account.revenue if task.customer.account else None),
        "next_step": task_story.next_step(task, contacts, now),
        "contacts": contacts,
        "escalations": escalations,
        "is_unacknowledged": not all(one.acknowledged_at for one in escalations),
        "versions": list(task.response.versions.all()),
        "reasons": [reason.key for reason in task.response.reasons.all()],
        "siblings": siblings,
        "confirmations": list(task.confirmations.all()),
        "asked_at": task_story.asked_at(task),
        **_customer(task, request.user),
        "lines": history.readable(entries),
        "seen": entries[0].pk if entries else 0,
        **_forms(task, request.user, siblings, now),
        **_letter(task, request),
        **(bound or {}),
    }
    return TemplateResponse(request, "admin/surveys/task.html", context, status=status)


def _customer(task: OutreachTask, user: User) -> dict[str, Any]:
    """What we know of them from before, and from other mails."""
    earlier = task_story.earlier_answers(task)
    known = themes.main_themes([task.response_id, *(answer.pk for answer in earlier)])
    return {
        "theme": known.get(task.response_id, ""),
        "earlier": [(answer, known.get(answer.pk, "")) for answer in earlier],
        "earlier_tasks": task_story.earlier_tasks(task, user),
        "letters": task_story.letters(task.customer),
    }


def task_for(model_admin, request, pk) -> OutreachTask:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    tasks = OutreachTask.objects.visible_to(request.user).select_related(*RELATED)
    if not str(pk).isdecimal() or (task := tasks.filter(pk=pk).first()) is None:
        raise Http404("There is no such task, or it is not yours to see.")
    return task


def _works(task: OutreachTask, user: User) -> bool:
    return task.state == OutreachTask.State.OPEN and user.has_perm("surveys.change_outreachtask")


def _forms(task: OutreachTask, user: User, siblings: list[OutreachTask], now) -> dict[str, Any]:
    """The forms that `user` may send, empty; none for a task that is over."""
    if not _works(task, user):
        return {}
    forms: dict[str, Any] = {
        "contact_form": ContactForm(siblings=siblings),
        "close_form": CloseForm(),
        "snooze_form": SnoozeForm(initial={"until": tomorrow_morning(now)}),
        "may_take": True,
    }
    if may_assign(user):
        forms["assign_form"] = AssignForm(by=user, initial={"to": task.owner_id})
    if user.has_perm("surveys.withdraw_outreachtask"):
        forms["withdraw_form"] = WithdrawForm()
    return forms


def may_assign(user: User) -> bool:
    """Those who lead hand over any task that they see, account managers within their team."""
    if user.has_perm("surveys.assign_outreachtask"):
        return True
    return user.has_perm("surveys.change_outreachtask") and candidates(user).exists()


def _letter(task: OutreachTask, request: HttpRequest) -> dict[str, Any]:
    """The form for a mail, begun with the template that was chosen; those in the customer's own
    language stand apart."""
    if not _works(task, request.user) or not request.user.has_perm("surveys.add_taskmail"):
        return {}
    if why := why_not_by_hand(task.customer):
        return {"why_no_mail": why}
    language = task.customer.language or task.response.language
    offered = list(MailTemplate.objects.filter(is_active=True))
    wanted = request.GET.get("template", "")
    chosen = next((each for each in offered if str(each.pk) == wanted), None)
    initial = {}
    if chosen:
        values = task_story.placeholders(task, request.user, chosen.language)
        initial = dict(zip(("subject", "text"), chosen.filled(values), strict=True))
    return {
        "write_form": WriteForm(initial=initial),
        "templates": [each for each in offered if each.language == language],
        "other_templates": [each for each in offered if each.language != language],
        "template": chosen,
        "replies_to": task_address.address(task) or request.user.email,
        "replies_are_logged": bool(task_address.address(task)),
    }


def _entries(task: OutreachTask) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(noun="outreachtask", noun_id=task.pk)
    return list(entries.select_related("actor")[:LATEST_ENTRIES])


def changes_since(task: OutreachTask, seen: str) -> list[history.Line]:
    """What has been done to the task since a form was opened; `seen` is the newest entry then."""
    newer = [entry for entry in _entries(task) if seen.isdecimal() and entry.pk > int(seen[:18])]
    return history.readable(newer)
