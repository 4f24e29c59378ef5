"""One page per task: who, what they said, until when, what happened, and what to do next.

Each form posts to an address of its own, which calls one verb. A refusal is shown next to the form
with the typed text in place, and with the task as it stands by now.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from surveys.admin import task_story
from surveys.admin.task_forms import (
    AssignForm,
    CloseForm,
    ContactForm,
    SnoozeForm,
    TakeForm,
    TaskForm,
    WithdrawForm,
    WriteForm,
)
from surveys.admin.task_view import changes_since, may_assign, show, task_for
from surveys.loop import close, escalate, reach_out, snooze, write
from surveys.models import OutreachTask, User, database_now

REFUSALS = (
    reach_out.NotOpen,
    reach_out.ChangedMeanwhile,
    reach_out.CannotLog,
    close.CannotClose,
    snooze.CannotSnooze,
    write.CannotWrite,
    escalate.NothingToAcknowledge,
)


def _action(may: str | Callable, form_name: str, make_form: Callable, verb: Callable, done: str):
    """The view behind one form: parse, call `verb(task, form, user, now)`, show what came of it."""

    def bind(model_admin):
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            task = task_for(model_admin, request, pk)
            user = request.user
            if not (may(user) if callable(may) else user.has_perm(may)):
                raise PermissionDenied
            if request.method != "POST":
                return redirect("admin:surveys_outreachtask_change", pk)
            form = make_form(request, task)
            if not form.is_valid():
                return show(model_admin, request, pk, {form_name: form}, status=422)
            try:
                verb(task, form.cleaned_data, user, database_now())
            except REFUSALS as refusal:
                form.add_error(None, str(refusal))
                changes = changes_since(task, request.POST.get("seen", ""))
                bound = {form_name: form, "changes": changes}
                return show(model_admin, request, pk, bound, status=409)
            messages.success(request, done)
            return _onward(user, pk)

        return view

    return bind


def _onward(user: User, pk: int) -> HttpResponse:
    """Back to the page; to the queue, if the task is another's to see by now."""
    if OutreachTask.objects.visible_to(user).filter(pk=pk).exists():
        return redirect("admin:surveys_outreachtask_change", pk)
    return redirect("admin:surveys_outreachtask_changelist")


def _log_contact(task, data, user, now):
    reach_out.log_contact(
        task, user, data["channel"], data["outcome"], data["note"], now,
        claimed_at=data["claimed_at"], also=data.get("also", ()), version=data["version"],
    )  # fmt: skip


def _write(task, data, user, now):
    write.write(task, user, data["subject"], data["text"], now, data["version"])


def _snooze(task, data, user, now):
    snooze.snooze(task, user, data["until"], data["reason"], now, data["version"])


def _wake(task, data, user, now):
    snooze.wake(task, user, now, data["version"])


def _close(task, data, user, now):
    close.close(
        task, user, data["root_cause"], data["outcome"], data["action"], now, data["version"]
    )


def _assign(task, data, user, now):
    task.owner_id = data["seen_owner"]
    reach_out.assign(task, data["to"], user, now, data["why"])


def _take(task, data, user, now):
    task.owner_id = data["seen_owner"]
    reach_out.assign(task, user, user, now)


def _acknowledge(task, data, user, now):
    escalate.acknowledge(task, user, now)


def _withdraw(task, data, user, now):
    close.withdraw(task, user, data["reason"], now, data["version"])


def _sent(form: Callable) -> Callable:
    return lambda request, task: form(request.POST)


def _contact_form(request, task):
    return ContactForm(request.POST, siblings=task_story.siblings(task, request.user))


def _assign_form(request, task):
    return AssignForm(request.POST, by=request.user)


CHANGE = "surveys.change_outreachtask"
ACTIONS = {
    "contact": _action(
        "surveys.add_contact", "contact_form", _contact_form, _log_contact,
        "The contact is logged.",
    ),
    "write": _action(
        "surveys.add_taskmail", "write_form", _sent(WriteForm), _write,
        "Your mail is on its way. It is logged as an attempt once their server has taken it.",
    ),
    "snooze": _action(
        CHANGE, "snooze_form", _sent(SnoozeForm), _snooze,
        "The task is out of the queue until then. Its deadline has not moved.",
    ),
    "wake": _action(
        CHANGE, "wake_form", _sent(TaskForm), _wake, "The task is back in the queue.",
    ),
    "close": _action(
        CHANGE, "close_form", _sent(CloseForm), _close, "The task is closed.",
    ),
    "take": _action(
        CHANGE, "take_form", _sent(TakeForm), _take, "The task is yours.",
    ),
    "assign": _action(
        may_assign, "assign_form", _assign_form, _assign, "The task is handed over.",
    ),
    "acknowledge": _action(
        CHANGE, "acknowledge_form", _sent(TaskForm), _acknowledge,
        "It is noted that you know of it. There are no daily reminders any more.",
    ),
    "withdraw": _action(
        "surveys.withdraw_outreachtask", "withdraw_form", _sent(WithdrawForm), _withdraw,
        "The task is withdrawn.",
    ),
}  # fmt: skip
