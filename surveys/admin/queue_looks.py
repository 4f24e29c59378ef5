"""How the cells of the queue look: each says one thing, and below it what belongs to it."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.timezone import localtime

from surveys.admin import looks
from surveys.models import Account, OutreachTask, Tier

TONES = {Tier.OWNER: "grey", Tier.LEAD: "amber", Tier.HEAD: "red", Tier.EXECUTIVE: "red"}


def cell(first: object, *notes: str) -> str:
    """One box, so that a phone, too, shows the notes below and not beside."""
    below = format_html_join("", '<small class="voc-aside">{}</small>', ((n,) for n in notes if n))
    return format_html('<span class="voc-cell">{}{}</span>', first, below)


def time_left(task: OutreachTask, now: datetime) -> str:
    """With what else there is to know about it: a denial, a snooze."""
    waits_again = task.state == OutreachTask.State.OPEN and task.waits_until and task.denied_at
    denied = "The customer denied a contact" if waits_again else ""
    until = localtime(task.snoozed_until) if task.is_asleep(now) else None
    asleep = f"Snoozed until {date_format(until, 'SHORT_DATETIME_FORMAT')}" if until else ""
    return cell(looks.deadline(task, now), denied, asleep)


def score(task: OutreachTask) -> str:
    """With why there is a task, where the score does not say it."""
    is_plain = task.cause == OutreachTask.Cause.DETRACTOR
    return cell(looks.score(task.response), "" if is_plain else task.get_cause_display())


def words(text: str, theme: str) -> str:
    """The beginning of a comment, and what it is about, once somebody has read it."""
    about = format_html('<small class="voc-theme">{}</small>', theme) if theme else ""
    return format_html('<span class="voc-cell">{}{}</span>', looks.first_words(text), about)


def value(account: Account | None) -> str:
    """The yearly revenue, and when the contract renews."""
    if account is None:
        return looks.NOTHING
    on = date_format(account.renews_on, "SHORT_DATE_FORMAT") if account.renews_on else ""
    return cell(looks.money(account.revenue), f"renews {on}" if on else "")


def level(task: OutreachTask) -> str:
    """The highest tier that was told."""
    tier = Tier(task.level) if task.level else None
    return looks.badge(TONES[tier], tier.label) if tier else looks.NOTHING


def owner(task: OutreachTask, may_be_taken: bool) -> str:
    """With a button that sends the form “voc-take”: which task, and whose it was."""
    name = task.owner or "Nobody"
    if not may_be_taken:
        return str(name)
    button = (
        '<button type="submit" form="voc-take" name="task" value="{}:{}" class="voc-take"'
        ' aria-label="Take the task of {}">Take</button>'
    )
    take = format_html(button, task.pk, task.owner_id or "", task.customer)
    return format_html('<span class="voc-cell">{} {}</span>', name, take)
