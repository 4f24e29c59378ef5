"""The dashboard: five figures with interval, trend and goal."""

from __future__ import annotations

from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format

from analysis import charts, phrases
from analysis.dashboard import Dashboard, Five, dashboard
from analysis.measures.closure import Closure
from analysis.measures.scores import Score, share
from analysis.pages import shown
from analysis.pages.document import Cell, Column, Document, Figure, Table, rounded
from analysis.pages.door import for_readers_of_reports, framed
from analysis.pages.files import FORMS
from analysis.pages.filters import Choice, FilterForm, report_filters
from analysis.rollups import counted_at
from analysis.svg import Svg
from surveys.models import Kind

UNITS = [("month", "Months"), ("week", "Weeks")]
SHARE = "csat"  # is written as shares are
TITLES = {"segment": "By segment", "region": "By region", "survey": "By survey"}
FIVE = (
    Column("response_rate", "Invitations answered"),
    Column("response_rate_low"),
    Column("response_rate_high"),
    Column("invited"),
    Column("nps", "NPS"),
    Column("nps_low"),
    Column("nps_high"),
    Column("nps_n", "n", is_number=True),
    Column("csat", "CSAT"),
    Column("csat_low"),
    Column("csat_high"),
    Column("csat_n", "n", is_number=True),
    Column("closure", "Contacted within 72 h"),
    Column("closure_low"),
    Column("closure_high"),
    Column("closure_n"),
)
OVERDUE = Column("overdue_now", "Overdue now", is_number=True)
EXPLAINED = (
    "Invitations answered: of the invitations of a period, those answered until now.",
    "NPS = % promoters (9 to 10) − % detractors (0 to 6). CSAT = share of 4 and 5 on 1 to 5. "
    "Answers by open links are in neither.",
    "Intervals, 95 %: Wilson’s for shares; adjusted Wald for the NPS, in months widened by how "
    "alike the answers of one account are. Weeks take answers as independent.",
    "Scores are shown from ten answers on, and not where the difference to another report would "
    "tell what fewer have said.",
    "A change is more than noise where its 95 % interval (Newcombe’s for shares) leaves out zero.",
    "Overdue now: open, 72 hours elapsed, nobody has reached the customer; of any period.",
)


@for_readers_of_reports
def page(request: HttpRequest) -> HttpResponse:
    form, document = _document(request)
    context = {"title": "Dashboard", "form": form, "document": document, "forms": list(FORMS)}
    context |= {"query": request.GET.urlencode(), "name": "analysis:dashboard-file"}
    return framed(request, "analysis/document.html", context)


@for_readers_of_reports
def file(request: HttpRequest, form: str) -> HttpResponse:
    return FORMS[form](_document(request)[1])


def _document(request: HttpRequest) -> tuple[FilterForm, Document]:
    by = {"by": Choice(UNITS, "month")}
    form, filters = report_filters(request, now := timezone.now(), by)
    found = dashboard(filters, form.chosen["by"], now)
    return form, document(found, counted_at() or now)


def document(found: Dashboard, as_of: datetime) -> Document:
    last = found.periods[-1][0]
    wanted = found.filters
    narrowed = filter(None, (wanted.product, wanted.segment, wanted.region))
    return Document(
        name=f"dashboard-{last:%Y-%m-%d}",
        title="Dashboard",
        subtitle=", ".join([_long(found.unit, last), *narrowed]),
        as_of=as_of,
        figures=_figures(found),
        tables=[
            _periods(found),
            *(_group_table(name, found) for name in TITLES),
            _rolling(found),
        ],
        explained=EXPLAINED,
    )


def _long(unit: str, first: date) -> str:
    if unit == "week":
        return f"week of {date_format(first, 'DATE_FORMAT')}"
    return date_format(first, "YEAR_MONTH_FORMAT")


def _short(unit: str, first: date) -> str:
    return date_format(first, "j M" if unit == "week" else "M y")


def _figures(found: Dashboard) -> list[Figure]:
    now, before = found.chosen, found.before
    since = f"the {found.unit} before"
    look, verdict = shown.verdict(now.closure)
    closures = (_share_of(one.closure) for one in (now, before))
    return [
        Figure(
            "Invitations answered",
            phrases.rate(now.asked.answered, now.response),
            change=phrases.moved(SHARE, now.response, before.response, since),
        ),
        _score("NPS", Kind.NPS, now.nps, before.nps, since),
        _score("CSAT", Kind.CSAT, now.csat, before.csat, since),
        Figure(
            "Contacted within 72 h",
            phrases.closure(now.closure),
            verdict,
            f"Goal {shown.GOAL}",
            phrases.moved(SHARE, *closures, since),
            look,
        ),
        Figure(
            "Overdue now",
            phrases.number(found.overdue),
            "Open, and nobody has reached the customer in 72 hours",
            "Goal 0",
            look="bad" if found.overdue else "good",
        ),
    ]


def _share_of(closure: Closure) -> Score:
    """None to compare below ten, as no percentage is shown there."""
    n = closure.n if closure.shows_percent else 0
    return share(closure.contacted_in_time if n else 0, n)


def _score(name: str, kind: str, now: Score, before: Score, since: str) -> Figure:
    words = phrases.score(kind, now)
    if now.value is not None:
        words += f" ({phrases.score_span(kind, now)})"
    return Figure(
        name,
        words,
        _n(now),
        change=phrases.moved(kind, now, before, since),
    )


def _n(score: Score) -> str:
    if not score.n:
        return "No answers"
    return f"n {phrases.number(score.n)}" + (", too few to show" if score.value is None else "")


def _periods(found: Dashboard) -> Table:
    rows = [
        [Cell(first.isoformat(), _long(found.unit, first)), *_cells(one)]
        for first, one in reversed(found.periods)
    ]
    return Table(
        "periods",
        f"The last twelve {found.unit}s",
        (Column(found.unit, found.unit.capitalize()), *FIVE),
        rows,
        chart=_chart(found),
    )


def _chart(found: Dashboard) -> Svg:
    pairs = [(_short(found.unit, first), one.closure) for first, one in found.periods]
    if not any(closure.n for _, closure in pairs):
        return Svg()
    return charts.closure_chart(
        pairs,
        title=f"Detractors contacted within 72 hours, by {found.unit}",
        goal_text=f"Goal {shown.GOAL}",
        number=phrases.number,
        percent=phrases.whole_percent,
    )


def _group_table(name: str, found: Dashboard) -> Table:
    return Table(
        name,
        f"{TITLES[name]}, {_long(found.unit, found.periods[-1][0])}",
        (Column(name, name.capitalize()), *FIVE, OVERDUE),
        [[Cell.of(group), *_cells(one), Cell.of(n)] for group, one, n in found.groups[name]],
        empty="Nothing was asked or answered in this period with these filters.",
    )


def _cells(one: Five) -> list[Cell]:
    return [
        *_rate_cells(one),
        *_score_cells(Kind.NPS, one.nps),
        *_score_cells(Kind.CSAT, one.csat),
        *_closure_cells(one.closure),
    ]


def _rate_cells(one: Five) -> list[Cell]:
    rate = one.response
    words = phrases.rate(one.asked.answered, rate)
    return [
        Cell(rounded(rate.value), words), Cell(rounded(rate.low), ""),
        Cell(rounded(rate.high), ""), Cell.of(rate.n),
    ]  # fmt: skip


def _score_cells(kind: str, score: Score) -> list[Cell]:
    words = phrases.score(kind, score)
    if score.value is not None:
        words += f" ({phrases.score_span(kind, score)})"
    return [
        Cell(rounded(score.value), words), Cell(rounded(score.low), ""),
        Cell(rounded(score.high), ""), Cell.of(score.n),
    ]  # fmt: skip


def _closure_cells(closure: Closure) -> list[Cell]:
    low, high = closure.interval or (None, None)
    rate = closure.rate if closure.shows_percent else None
    return [
        Cell(rounded(rate), phrases.closure(closure)), Cell(rounded(low), ""),
        Cell(rounded(high), ""), Cell.of(closure.n),
    ]  # fmt: skip


def _rolling(found: Dashboard) -> Table:
    rows = [
        [Cell(day.isoformat(), date_format(day, "DATE_FORMAT")), *_score_cells(Kind.CSAT, one)]
        for day, one in reversed(found.csat)
    ]
    return Table(
        "csat_30_days",
        "CSAT of the last 30 days",
        (
            Column("until", "Until"), Column("csat", "CSAT"), Column("csat_low"),
            Column("csat_high"), Column("n", "n", is_number=True),
        ),
        rows if any(one.n for _, one in found.csat) else [],
        empty="No CSAT survey was answered in these weeks with these filters.",
        chart=_csat_chart(found),
    )  # fmt: skip


def _csat_chart(found: Dashboard) -> Svg:
    points = [
        charts.Point(
            date_format(day, "j M"), one.value, one.low, one.high,
            phrases.percent(one.value), f"n {phrases.number(one.n)}",
        )
        for day, one in found.csat
    ]  # fmt: skip
    if all(point.value is None for point in points):
        return Svg()
    axis = charts.percent_axis(phrases.whole_percent)
    return charts.line_chart(points, axis, title="CSAT of the 30 days until each day")
