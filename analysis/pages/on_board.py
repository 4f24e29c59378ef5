"""The board's figures in the words, the links, the chart and the table rows of its page."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format

from analysis import curves, phrases
from analysis.board import COHORT, HORIZON, Board, Workload
from analysis.charts import percent_axis
from analysis.loads import Load
from analysis.measures.closure import Closure
from analysis.measures.false_closure import FalseClosures
from analysis.measures.intervals import Interval
from analysis.measures.survival import Curve, Estimate
from analysis.pages.shown import GOAL
from analysis.plot import Axis
from analysis.svg import Svg, line, tag
from surveys.models import Absence, Team, User

MARKS = (24, 48, 72)  # hours
TABLE = (4, 8, 12, 24, 48, 72, 96, 120, 144, 168)
SHARES = ((0.25, "A quarter"), (0.5, "Half (the median)"), (0.75, "Three quarters"))
LONGEST = int(HORIZON.total_seconds()) // 3600
NOT_YET = f"not within {LONGEST // 24} days"
IN_THE_LAST_DAYS = f"Detractors reached, by hours since the answer, last {COHORT.days} days"
BAR = 160.0  # units of width
ENOUGH = Closure.percent_from_n

FIGURES = {
    "open": "Open",
    "overdue": "Overdue",
    "within_4": "Under 4 h",
    "within_24": "Under 24 h",
    "today": "Due today",
    "reached": "Reached, to close",
}
TONES = {"overdue": "bad", "within_4": "bad", "within_24": "fair"}


def figures(workload: Workload, **filters: str) -> list[dict[str, object]]:
    """One a column, each with the address of the very rows that it counts."""
    return [
        {
            "name": name,
            "words": words,
            "count": phrases.number(count := getattr(workload, name)),
            "tone": TONES.get(name, "") if count else "",
            "address": queue(**({} if name == "open" else {"left": name}), **filters)
            if count
            else "",
        }
        for name, words in FIGURES.items()
    ]


def queue(**filters: str) -> str:
    """The queue's open tasks, narrowed down."""
    address = reverse("admin:surveys_outreachtask_changelist")
    return f"{address}?{urlencode({'queue': 'open', **filters})}"


def owner_row(owner: User | None, workload: Workload) -> dict[str, object]:
    return {
        "name": str(owner) if owner else "Unassigned",
        "team": str(owner.team) if owner and owner.team else "",
        "figures": figures(workload, owner=str(owner.pk) if owner else "-"),
    }


def team_row(team: Team | None, workload: Workload) -> dict[str, object]:
    return {
        "name": str(team) if team else "No team",
        "figures": figures(workload, owner_team=str(team.pk) if team else "-"),
    }


def load_row(load: Load, scale: int) -> dict[str, object]:
    """`scale` is what the whole width of the bar stands for."""
    return {
        "name": str(load.worker),
        "stands_in_for": ", ".join(load.stands_in_for),
        "waiting": phrases.number(load.waiting),
        "need": phrases.number(load.need),
        "room": phrases.number(load.room),
        "bar": load_bar(load, scale),
        "day": date_format(load.day, "D j M"),
        "tone": "bad" if load.spare < 0 else "good",
        "verdict": f"{phrases.number(-load.spare)} too many"
        if load.spare < 0
        else f"fits, {phrases.number(load.spare)} to spare",
    }


def load_rows(found: Board) -> list[dict[str, object]]:
    scale = max((max(one.need, one.room) for one in found.loads), default=0) or 1
    return [load_row(one, scale) for one in found.loads]


def load_bar(load: Load, scale: int) -> Svg:
    """A picture of what the row says in figures: a bar to be reached, a line for what fits."""
    need, room = BAR * load.need / scale, BAR * load.room / scale
    look = "board-over" if load.spare < 0 else "board-fits"
    bar = tag("rect", x=0, y=3, width=need, height=10, class_=look)
    end = line(room, 0, room, 16, class_="board-room", stroke_width=2)
    box = f"-1 0 {BAR + 2:g} 16"
    return Svg(tag("svg", bar, end, viewBox=box, class_="board-bar", aria_hidden="true"))


def absence_row(absence: Absence, found: Board) -> dict[str, object]:
    first, last = (date_format(day, "D j M") for day in (absence.first_day, absence.last_day))
    days = first if first == last else f"{first} to {last}"
    waiting = next((one for owner, one in found.by_owner if owner == absence.user), Workload())
    return {
        "name": str(absence.user),
        "days": days,
        "now": absence.first_day <= found.today,
        "cover": str(absence.cover),
        "open": phrases.number(waiting.open),
        "address": queue(owner=str(absence.user_id)) if waiting.open else "",
    }


def false_closures(found: FalseClosures) -> str:
    """Such as: 2 of 31 (6 %, 2 to 21 %); no percentage below ten; empty where nobody answered."""
    if found.interval is None or found.rate is None:
        return ""
    share = f"{phrases.percent(found.rate)}, " if found.n >= ENOUGH else ""
    counts = f"{phrases.number(found.denied)} of {phrases.number(found.n)}"
    return f"{counts} ({share}{phrases.span(*found.interval)})"


def quantile_rows(curve: Curve) -> list[dict[str, str]]:
    """By when a quarter, half and three quarters were reached."""
    if curve.n < ENOUGH:
        return []
    rows = []
    for share, words in SHARES:
        low, high = curve.quantile_interval(share)
        ends = f"{spent(low)} to {spent(high)}" if low is not None else ""
        rows.append({"name": words, "time": spent(curve.quantile(share)), "span": ends})
    return rows


def spent(minutes: float | None) -> str:
    """Such as: 45 min, 19 h 20 min; what it says where the curve does not come so far."""
    if minutes is None:
        return NOT_YET
    hours, rest = divmod(int(minutes), 60)
    parts = [f"{hours}{phrases.NBSP}h"] if hours else []
    parts += [f"{rest}{phrases.NBSP}min"] if rest or not hours else []
    return " ".join(parts)


def contact_rows(curve: Curve) -> list[dict[str, str]]:
    """The curve as a table: reached before so many hours, of all who waited."""
    return [contact_row(hours, curve) for hours in TABLE] if curve.n else []


def contact_row(hours: int, curve: Curve) -> dict[str, str]:
    found = curve.before(hours * 60)
    share, interval = reached(found)
    shown = curve.n >= ENOUGH and share is not None
    return {
        "hours": f"{hours}{phrases.NBSP}h",
        "marked": "yes" if hours in MARKS else "",
        "share": phrases.percent(share) if shown else phrases.NONE,
        "span": phrases.span(*interval) if interval else "",
        "reached": phrases.number(found.events),
        "waiting": phrases.number(found.at_risk),
    }


def reached(found: Estimate) -> tuple[float | None, Interval | None]:
    """The share reached: what the share that still waits leaves."""
    if found.survival is None or found.interval is None:
        return None, None
    low, high = found.interval
    return 1 - found.survival, Interval(1 - high, 1 - low)


def contact_chart(curve: Curve, title: str = IN_THE_LAST_DAYS) -> Svg:
    if curve.n < ENOUGH:
        return Svg()
    marks = [(hours, contact_row(hours, curve)["share"]) for hours in MARKS]
    ticks = tuple((hours, f"{hours}{phrases.NBSP}h") for hours in range(0, LONGEST + 1, 24))
    said = [
        f"{row['hours']}: {row['share']} ({row['span']})"
        for row in contact_rows(curve)
        if row["share"] != phrases.NONE
    ]
    return curves.curve_chart(
        stairs(curve),
        Axis(0, LONGEST, ticks),
        percent_axis(phrases.whole_percent),
        title=title,
        said=said or ["nothing is known yet"],
        marks=[(hours, words) for hours, words in marks if words != phrases.NONE],
        goal=curves.Goal(MARKS[-1], Closure.goal, f"Goal {GOAL}"),
    )


def stairs(curve: Curve) -> list[curves.Stair]:
    """The curve every half hour, as far as anybody was seen: finer would not show. A contact shows
    at the end of its half hour, never before it was made."""
    found: list[curves.Stair] = []
    for half in range(2 * LONGEST + 1):
        share, interval = reached(curve.before(half * 30))
        if share is not None and interval is not None:
            found.append(curves.Stair(half / 2, share, *interval))
    return found
