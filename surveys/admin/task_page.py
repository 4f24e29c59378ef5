"""One page per task: who, what they said, until when, what happened, and what to do next.

Each form posts to an address of its own, which calls one verb. A refusal is shown next to the form
with the typed text in place, and with the task as it stands by now.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from surveys.admin import history, looks
from surveys.admin.correspondence import mails_of
from surveys.admin.task_forms import (
    AssignForm,
    CloseForm,
    ContactForm,
    TakeForm,
    TaskForm,
    WithdrawForm,
)
from surveys.loop import close, escalate, reach_out
from surveys.models import AuditEntry, OutreachTask, Response

REFUSALS = (
    reach_out.NotOpen,
    reach_out.ChangedMeanwhile,
    close.CannotClose,
    escalate.NothingToAcknowledge,
)
EARLIER_ANSWERS = 10
LATEST_ENTRIES = 50
RELATED = ("customer__account__owner", "response__survey", "owner", "root_cause__parent")


def show(model_admin, request: HttpRequest, pk, bound=None, status: int = 200) -> HttpResponse:
    """The page; `bound` maps a form's name to one that was refused."""
    task = _task(model_admin, request, pk)
    now = timezone.now()
    if request.method == "GET":
        escalate.saw(task, request.user, now)
    contacts = list(task.contacts.select_related("user"))
    escalations = list(task.escalations.all())
    context = {
        **model_admin.admin_site.each_context(request),
        "title": str(task.customer),
        "subtitle": None,
        "opts": model_admin.opts,
        "original": task,
        "task": task,
        "now": now,
        "deadline": looks.deadline(task, now),
        "score": looks.score(task.response),
        "revenue": looks.money(task.customer.account.revenue if task.customer.account else None),
        "next_step": next_step(task, contacts, now),
        "contacts": contacts,
        "escalations": escalations,
        "is_unacknowledged": not all(one.acknowledged_at for one in escalations),
        "versions": list(task.response.versions.all()),
        "reasons": [reason.key for reason in task.response.reasons.all()],
        "mails": mails_of(task.customer),
        "earlier": _earlier(task),
        "siblings": _siblings(task, request.user),
        "lines": history.readable(_entries(task)),
        **_forms(task, request.user),
        **(bound or {}),
    }
    page = "admin/surveys/task.html"
    return TemplateResponse(request, page, context, status=status)


def next_step(task: OutreachTask, contacts: list, now) -> str:
    """One sentence: what moves this task on."""
    if task.state == OutreachTask.State.FORGOTTEN:
        return "Nothing: the customer was forgotten."
    if task.state != OutreachTask.State.OPEN:
        return f"Nothing: this task is {task.get_state_display().lower()}."
    if task.owner_id is None:
        return "Take the task or give it to somebody, so that one person feels responsible."
    if task.first_contact_at:
        return "The customer has been reached. Close with the root cause and the action taken."
    if task.is_overdue(now):
        return "The 72 hours are over. Reach the customer now: late is better than never."
    if contacts:
        tried = f"{len(contacts)} attempt{'s' if len(contacts) > 1 else ''} so far"
        return f"{tried}, nobody reached yet. Try another channel or another time of day."
    channels = [("call", task.customer.phone), ("write to", task.customer.email)]
    how = next((f"{verb} {value}" for verb, value in channels if value), "find a way to reach them")
    return f"Reach the customer: {how}. Then log the contact here."


def _task(model_admin, request, pk) -> OutreachTask:
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    tasks = OutreachTask.objects.visible_to(request.user).select_related(*RELATED)
    if not str(pk).isdecimal() or (task := tasks.filter(pk=pk).first()) is None:
        raise Http404("There is no such task, or it is not yours to see.")
    return task


def _forms(task: OutreachTask, user) -> dict:
    """The forms that `user` may send, empty; none for a task that is over."""
    if task.state != OutreachTask.State.OPEN or not user.has_perm("surveys.change_outreachtask"):
        return {}
    forms = {"contact_form": ContactForm(), "close_form": CloseForm(), "may_take": True}
    if user.has_perm("surveys.assign_outreachtask"):
        forms["assign_form"] = AssignForm(by=user, initial={"to": task.owner_id})
    if user.has_perm("surveys.withdraw_outreachtask"):
        forms["withdraw_form"] = WithdrawForm()
    return forms


def _earlier(task: OutreachTask) -> list[Response]:
    answers = Response.objects.filter(customer=task.customer_id).exclude(pk=task.response_id)
    return list(answers.select_related("survey").order_by("-answered_at")[:EARLIER_ANSWERS])


def _siblings(task: OutreachTask, user) -> list[OutreachTask]:
    if task.customer.account_id is None:
        return []
    tasks = OutreachTask.objects.visible_to(user).open().exclude(pk=task.pk)
    tasks = tasks.filter(customer__account=task.customer.account_id)
    return list(tasks.select_related("customer", "response", "owner").most_urgent_first()[:10])


def _entries(task: OutreachTask):
    entries = AuditEntry.objects.filter(noun="outreachtask", noun_id=task.pk)
    return entries.select_related("actor")[:LATEST_ENTRIES]


def _action(permission: str, form_name: str, make_form: Callable, verb: Callable, done: str):
    """The view behind one form: parse, call `verb(task, form, user, now)`, show what came of it."""

    def bind(model_admin):
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            task = _task(model_admin, request, pk)
            if not request.user.has_perm(permission):
                raise PermissionDenied
            if request.method != "POST":
                return redirect("admin:surveys_outreachtask_change", pk)
            form = make_form(request)
            if not form.is_valid():
                return show(model_admin, request, pk, {form_name: form}, status=422)
            try:
                verb(task, form.cleaned_data, request.user, timezone.now())
            except REFUSALS as refusal:
                form.add_error(None, str(refusal))
                return show(model_admin, request, pk, {form_name: form}, status=409)
            messages.success(request, done)
            return redirect("admin:surveys_outreachtask_change", pk)

        return view

    return bind


def _log_contact(task, data, user, now):
    reach_out.log_contact(task, user, data["channel"], data["outcome"], data["note"], now)


def _close(task, data, user, now):
    close.close(
        task, user, data["root_cause"], data["outcome"], data["action"], now, data["version"]
    )


def _assign(task, data, user, now):
    task.owner_id = data["seen_owner"]
    reach_out.assign(task, data["to"], user, now)


def _take(task, data, user, now):
    task.owner_id = data["seen_owner"]
    reach_out.assign(task, user, user, now)


def _acknowledge(task, data, user, now):
    escalate.acknowledge(task, user, now)


def _withdraw(task, data, user, now):
    close.withdraw(task, user, data["reason"], now)


def _assign_form(request):
    return AssignForm(request.POST, by=request.user)


CHANGE = "surveys.change_outreachtask"
ACTIONS = {
    "contact": _action(
        "surveys.add_contact", "contact_form", lambda request: ContactForm(request.POST),
        _log_contact, "The contact is logged.",
    ),
    "close": _action(
        CHANGE, "close_form", lambda request: CloseForm(request.POST), _close,
        "The task is closed.",
    ),
    "take": _action(CHANGE, "take_form", lambda request: TakeForm(request.POST), _take,
        "The task is yours.",),
    "assign": _action(
        "surveys.assign_outreachtask", "assign_form", _assign_form, _assign,
        "The task is handed over.",
    ),
    "acknowledge": _action(
        CHANGE, "acknowledge_form", lambda request: TaskForm(request.POST), _acknowledge,
        "It is noted that you know of it. There are no daily reminders any more.",
    ),
    "withdraw": _action(
        "surveys.withdraw_outreachtask", "withdraw_form",
        lambda request: WithdrawForm(request.POST), _withdraw, "The task is withdrawn.",
    ),
}  # fmt: skip
