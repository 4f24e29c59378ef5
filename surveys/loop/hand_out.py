"""Hand out: give many tasks to one colleague at once, each by itself, so that one that cannot be
given keeps none of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from surveys.loop import reach_out
from surveys.models import OutreachTask, User

MOST = 200  # at once: as many as a person can look over


@dataclass
class HandedOut:
    given: list[OutreachTask] = field(default_factory=list)
    refused: list[tuple[OutreachTask, str]] = field(default_factory=list)  # and why


def why_not(task: OutreachTask, to: User | None) -> str:
    """Why giving the task as it stands would do nothing; empty: it can be given."""
    if task.state != OutreachTask.State.OPEN:
        return f"This task is {task.get_state_display().lower()} already."
    if task.owner_id == (to.pk if to else None):
        return f"It is {f'{to}’s' if to else 'nobody’s'} already."
    return ""


def hand_out(tasks: Iterable[OutreachTask], to: User | None, by: User, now: datetime) -> HandedOut:
    """Give each task to `to`, or to nobody, unless it has another owner than it shows.

    Who was quicker is said beside each that is refused. Whoever gets them is mailed about each.
    """
    done = HandedOut()
    for task in sorted(tasks, key=lambda one: one.pk):
        try:
            if why := why_not(task, to):
                raise reach_out.NotOpen(why)
            done.given.append(reach_out.assign(task, to, by, now, why="One of several at once."))
        except (reach_out.NotOpen, reach_out.ChangedMeanwhile) as refusal:
            done.refused.append((task, str(refusal)))
    return done
