"""Tell: a colleague learns of a new task of theirs, and each morning of what is due."""

from __future__ import annotations

from datetime import datetime, timedelta

from surveys.delivery.digest import digest_of, morning_of
from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND, post
from surveys.models import Absence, Message, Notices, OutreachTask, Slot, User

# The comment comes on the page after the score: the mail about the task waits so long for it, and
# is with its owner within the minute all the same. What is written later is told in another mail.
FOR_THE_COMMENT = timedelta(seconds=45)


def new_task(task: OutreachTask, now: datetime) -> None:
    """Mail the task's owner, once for each owner it gets; how they want it is asked at sending.

    While the customer may still be writing, the mail waits for the comment.
    """
    if not task.owner_id:
        return
    key = f"task-opened:{task.pk}:{task.owner_id}"
    is_complete = task.response.comment or task.response.finished_at
    due = now if is_complete else max(now, task.started_at + FOR_THE_COMMENT)
    about = {"task": task, "user": task.owner}
    post(Message.Kind.TASK_OPENED, key, now, next_at=due, **about)
    # It came, went, and comes back: the mail that had become needless meanwhile is not.
    back = Message.objects.filter(dedupe_key=key, state=Message.State.CANCELLED)
    if back.update(state=Message.State.QUEUED, next_at=due):
        hint(SEND)


def digests(now: datetime) -> int:
    """Mail each colleague their digest, from 8 o'clock of their own day on; returns how many.

    Once for each person and day, however many clocks ask and however late they are; nothing to
    tell, no mail. None for whoever is away, or wants none, or joined after 8 that day.
    """
    day = now.date()
    away = Absence.objects.filter(first_day__lte=day, last_day__gte=day).values("user")
    readers = User.objects.filter(is_active=True).exclude(notices=Notices.NEVER)
    mornings = {
        user: morning
        for user in readers.exclude(pk__in=away)
        if user.joined_at < (morning := morning_of(user, now)) <= now
    }
    taken = set(
        Slot.objects.filter(
            name__in=[_slot(user) for user in mornings], slot__in=mornings.values()
        ).values_list("name", "slot")
    )
    mornings = {u: at for u, at in mornings.items() if (_slot(u), at) not in taken}
    return sum(_digest(user, morning, now) for user, morning in mornings.items())


def _digest(user: User, morning: datetime, now: datetime) -> bool:
    """The mail's key says “once” as well, should the clock die between the two."""
    is_wanted = digest_of(user, now).exists()
    if is_wanted:
        key = f"digest:{user.pk}:{morning:%Y-%m-%dT%H:%M}"
        post(Message.Kind.DIGEST, key, now, user=user)
    return Slot.take(_slot(user), morning, now) and is_wanted


def _slot(user: User) -> str:
    return f"digest {user.pk}"
