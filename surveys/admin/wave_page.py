"""What a wave's page says beside its form: who would be asked, what follows, or how it goes."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from surveys.delivery import emails, openings
from surveys.loop import capacity, estimate, manners, schedule, waves
from surveys.loop.windows import ALWAYS
from surveys.models import Channel, Customer, Invitation, Message, NoWording, Wave

SHOWN = 10  # customers of the audience
TASKS_A_DAY = 5  # that an account manager can take on beside their other work
LARGE = 50_000  # customers, from which on counting them takes a while
Decision, State = Invitation.Decision, Message.State


class LimitForm(forms.Form):
    """How many new outreach tasks one owner can take on in a day."""

    tasks = forms.IntegerField(
        label="New tasks a day for each owner",
        min_value=1,
        max_value=500,
        initial=TASKS_A_DAY,
        widget=UnfoldAdminIntegerFieldWidget,
    )


def about(wave: Wave, query: dict, now: datetime) -> dict:
    """The context of the page."""
    context = {"wave": wave, "preview": _preview(wave)}
    if wave.state == Wave.State.DRAFT:
        return context | draft(wave, query, now)
    return context | under_way(wave)


def draft(wave: Wave, query: dict, now: datetime) -> dict:
    told = estimate.estimate(wave, now)
    form = LimitForm(query) if "tasks" in query else LimitForm(initial={"tasks": TASKS_A_DAY})
    limit = form.cleaned_data["tasks"] if form.is_bound and form.is_valid() else TASKS_A_DAY
    today = now.astimezone(timezone.get_default_timezone()).date()
    days = capacity.sending_days(wave, today)[: wave.spread_days]
    window = openings.window(wave.survey, wave)
    return {
        "audience": told,
        "not_asked": manners.not_asked(told.decisions),
        "throttles": labelled(Invitation.Throttle, told.throttles),
        "sample": sample(wave, now),
        "limit_form": form,
        "forecast": capacity.forecast(wave, told.asked_by_owner, limit, today, now),
        "first_day": days[0],
        "last_day": days[-1],
        "window": window,
        "is_any_hour": (window.opens, window.closes) == (ALWAYS.opens, ALWAYS.closes),
    }


def sample(wave: Wave, now: datetime) -> list[tuple[Customer, str]]:
    """Ten of the audience, with what the launch would decide on each."""
    rows = wave.audience(now).select_related("account").order_by("name", "pk")
    customers = list(rows[:SHOWN])
    planned = schedule.of_wave(wave, customers, now)
    verdicts = manners.judge(wave.survey, customers, planned, wave.channel)
    return [(one, Decision(verdicts[one.pk].decision).label) for one in customers]


def under_way(wave: Wave) -> dict:
    told = waves.progress(wave)
    return {
        "progress": told,
        "figures": figures(wave, told),
        "not_asked": manners.not_asked(told.decisions),
        "throttles": labelled(Invitation.Throttle, told.throttles),
        "refresh": refresh_seconds(wave, told),
    }


def figures(wave: Wave, told: waves.Progress) -> list[tuple[str, int, str]]:
    """Name, number and tone, in the order in which it happens; troubles only where there are."""
    mails, asked = told.mails, told.decisions.get(Decision.ASK, 0)
    if wave.channel == Channel.LINK:
        handed = ("Links handed over", told.given, "")
        return [("Asked", asked, ""), handed, ("Answered", told.answered, "green")]
    always = [
        ("Asked", asked, ""),
        ("Waiting to be sent", told.waiting, ""),
        ("Sent", mails.get(State.SENT, 0), ""),
        ("Answered", told.answered, "green"),
    ]
    sometimes = [
        ("Held back", mails.get(State.HELD, 0), "amber"),
        ("In doubt", mails.get(State.IN_DOUBT, 0), "amber"),
        ("Failed", told.failed, "red"),
        ("Bounced", told.bounced, "red"),
        ("Cancelled", mails.get(State.CANCELLED, 0), "grey"),
        ("Reminders sent", told.reminded, ""),
        ("Links handed over", told.given, ""),
    ]
    return always + [figure for figure in sometimes if figure[1]]


def refresh_seconds(wave: Wave, told: waves.Progress) -> int:
    """How soon the figures are worth another look; 0: they stand still but for answers."""
    if wave.state == Wave.State.PLANNING or (told.waiting and wave.state == Wave.State.LAUNCHED):
        return 15 if told.audience > LARGE else 3
    return 60 if wave.state == Wave.State.LAUNCHED else 0


def labelled(choices, counts: dict[str, int]) -> list[tuple[str, int]]:
    return [(label, counts[name]) for name, label in choices.choices if counts.get(name)]


def _preview(wave: Wave) -> str:
    try:
        return emails.preview(wave.survey, wave.language or wave.survey.language).html
    except NoWording:
        return ""
