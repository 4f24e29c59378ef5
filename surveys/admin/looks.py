"""How facts look in lists and on pages. Only here, and for the queue's rows in queue_looks.py, does
the admin build HTML in Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator

from surveys.models import (
    DEADLINE,
    SECOND_DEADLINE,
    Brand,
    Customer,
    OutreachTask,
    Response,
)
from surveys.templatetags.plain import plain_to_see

SOON = timedelta(hours=24)
NOTHING = "–"
NO_ACCOUNT = "No account"


def span(length: timedelta) -> str:
    """A length of time in its two largest units, such as “1 d 3 h” or “5 h 20 min”."""
    minutes = int(abs(length).total_seconds() // 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    units = [(days, "d"), (hours, "h"), (minutes, "min")]
    while len(units) > 1 and not units[0][0]:
        units.pop(0)
    return " ".join(f"{n} {unit}" for n, unit in units[:2] if n) or "0 min"


def urgency(task: OutreachTask, now: datetime) -> tuple[str, str]:
    """The tone of a task's deadline and its words: green, amber under 24 h, red after it. After a
    denial it is about the second one, until the customer is reached again."""
    until = task.waits_until
    if task.state == OutreachTask.State.OPEN and until:
        if until < now:
            return "red", f"overdue {span(now - until)}"
        return ("amber" if until - now < SOON else "green"), f"in {span(until - now)}"
    if task.first_contact_at:
        took = span(task.first_contact_at - task.started_at)
        in_time = task.first_contact_at < task.due_at
        return ("green", f"reached after {took}") if in_time else ("red", f"reached late, {took}")
    return "grey", f"{task.get_state_display().lower()}, not reached"


def deadline(task: OutreachTask, now: datetime) -> str:
    """The time left as words and as a bar; the words alone say everything."""
    tone, words = urgency(task, now)
    until = task.waits_until
    if until is None or task.state != OutreachTask.State.OPEN:
        return format_html('<span class="voc-due voc-{}">{}</span>', tone, words)
    whole = DEADLINE if until == task.due_at else SECOND_DEADLINE
    share = max(0, min(100, 100 * ((until - now) / whole)))
    return format_html(
        '<span class="voc-due voc-{}">{}<progress max="100" value="{}" aria-hidden="true">'
        "</progress></span>",
        tone,
        words,
        round(share),
    )


def score(response: Response) -> str:
    """The score with its scale and its band, such as “3 of 10 Detractor”."""
    if response.score is None:
        return NOTHING
    return format_html(
        '<span class="voc-score voc-{}"><b>{}</b> of {} <small>{}</small></span>',
        response.band,
        response.score,
        {"nps": 10, "csat": 5, "ces": 7}[response.kind],
        response.get_band_display(),
    )


def first_words(text: str, words: int = 12) -> str:
    """The beginning of what a customer wrote, isolated so that its direction stays its own."""
    if not text:
        return NOTHING
    return format_html(
        '<bdi class="voc-words">{}</bdi>', Truncator(plain_to_see(text)).words(words)
    )


def money(amount) -> str:
    if amount is None:
        return NOTHING
    whole = number_format(round(amount), force_grouping=True)
    return format_html('<span class="voc-number">{} {}</span>', settings.CURRENCY, whole)


def badge(tone: str, words: str) -> str:
    return format_html('<span class="voc-badge voc-{}">{}</span>', tone, words)


def noun_link(site, noun: str, pk: int) -> str:
    """The name of a noun with its number, as a link where the admin has a page for it."""
    model = apps.get_app_config("surveys").models.get(noun)
    if model is None or not site.is_registered(model) or not pk:
        return f"{noun} {pk or ''}"
    address = reverse(f"admin:surveys_{noun}_change", args=[pk])
    return format_html('<a href="{}">{} {}</a>', address, model._meta.verbose_name, pk)


def two_lines(first: object, second: object) -> str:
    return format_html('<span class="voc-two"><b>{}</b><small>{}</small></span>', first, second)


def listed(lines: Iterable[str]) -> str:
    items = format_html_join("", "<li>{}</li>", ((plain_to_see(line),) for line in lines))
    return format_html('<ul class="voc-lines">{}</ul>', items) if items else NOTHING


def person(customer: Customer) -> str:
    """A customer and their account; key contacts are marked as such."""
    account = customer.account or NO_ACCOUNT
    if not customer.is_key_contact:
        return two_lines(customer, account)
    mark = badge("amber", "Key contact")
    return format_html(
        '<span class="voc-two"><b>{} {}</b><small>{}</small></span>', customer, mark, account
    )


def whole(text: str) -> str:
    """All of what a customer wrote, its line breaks kept by the style sheet."""
    return format_html('<bdi class="voc-whole">{}</bdi>', plain_to_see(text)) if text else NOTHING


def logo(brand: Brand) -> str:
    if not brand.logo_url:
        return NOTHING
    return format_html('<img class="voc-logo" src="{}" alt="{}">', brand.logo_url, brand)


def swatches(brand: Brand) -> str:
    """The colours as they are and as they are written, on a light page and on a dark one."""
    if not brand.colours:
        return "Our blue"
    light, dark = brand.colours
    return format_html(
        '<span class="voc-swatch"><svg width="16" height="16" aria-hidden="true">'
        '<circle cx="8" cy="8" r="8" fill="{0}"/></svg>{0}</span> '
        '<span class="voc-swatch"><svg width="16" height="16" aria-hidden="true">'
        '<circle cx="8" cy="8" r="8" fill="{1}"/></svg>{1}</span>',
        light,
        dark,
    )
