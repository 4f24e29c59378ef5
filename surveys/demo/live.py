"""The last three days of the story, played through the verbs themselves."""

from datetime import datetime

from surveys.demo.cast import Cast
from surveys.demo.history import TAKEN_BEFORE, was_taken
from surveys.demo.story import Asked
from surveys.loop import answer, close, reach_out
from surveys.models import Invitation, OutreachTask


def play(one: Asked, invitation: Invitation, cast: Cast) -> None:
    """One answer and what was done about it, each step at its own time."""
    response, _ = answer.give(invitation, one.answer.score, one.answer.comment, one.answer.at)
    if one.followup is None:
        return
    task = OutreachTask.objects.get(response=response)
    by = cast.users.get(one.owner)
    if was_taken(one, invitation.customer):
        reach_out.assign(task, by, by, one.followup.steps[0].at - TAKEN_BEFORE)
    for step in one.followup.steps:
        reach_out.log_contact(task, by, step.channel, step.outcome, step.note, step.at)
    if end := one.followup.closing:
        close.close(task, by, cast.causes[end.cause], end.outcome, end.action, end.at)


def is_live(one: Asked, since: datetime) -> bool:
    return one.answer is not None and one.answer.at >= since
