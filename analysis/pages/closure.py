"""The closure report: the one number management steers by, from all sides."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from analysis import phrases
from analysis.closure_report import ClosureReport, Recovery, closure_report
from analysis.measures.scores import Score, share
from analysis.measures.survival import Curve
from analysis.months import Month
from analysis.pages import on_board, shown
from analysis.pages.document import (
    CLOSURE,
    Cell,
    Column,
    Document,
    Figure,
    RowsOf,
    Table,
    closure_cells,
    rounded,
    with_rows,
)
from analysis.pages.door import for_readers_of_reports, framed
from analysis.pages.files import FORMS
from analysis.pages.filters import report_filters
from analysis.rollups import counted_at

PEOPLE = ("owner", "team")  # shown to those who may see the tasks
TITLES = {
    "owner": "By owner",
    "team": "By team",
    "segment": "By segment",
    "tier": "By value of the account",
    "region": "By region",
    "survey": "By survey",
}
HEADS = {"tier": "Yearly revenue"}
EXPLAINED = (
    "A month holds the detractors whose 72 elapsed hours began in it: at the answer, at a "
    "correction, or when a colleague overruled a machine’s verdict.",
    "Within 72 h = reached before the deadline, of all whose 72 hours have elapsed. Late, and "
    "overdue and still open, are misses. Not yet due and withdrawn stand apart.",
    "Reached means spoke, met, replied or refused. A message left or a mail without a reply is an "
    "attempt, and no contact.",
    "Percentages are shown from ten on and rounded down; intervals are Wilson’s, 95 %. Times are "
    "estimated after Kaplan and Meier: those who still wait count for as long as they have waited.",
    "Values and regions are those that accounts have today.",
)


@for_readers_of_reports
def page(request: HttpRequest) -> HttpResponse:
    form, document = _document(request)
    context = {"title": "Closure", "form": form, "document": document, "forms": list(FORMS)}
    context |= {"query": request.GET.urlencode(), "name": "analysis:closure-file"}
    context["recovered"] = "recovered" in request.GET
    return framed(request, "analysis/closure.html", context)


@for_readers_of_reports
def file(request: HttpRequest, form: str) -> HttpResponse:
    return FORMS[form](_document(request)[1])


def _document(request: HttpRequest) -> tuple[object, Document]:
    form, filters = report_filters(request, now := timezone.now())
    found = closure_report(filters, now, recovered="recovered" in request.GET)
    sees_people = request.user.has_perm("surveys.view_outreachtask")
    return form, document(found, counted_at() or now, sees_people)


def document(found: ClosureReport, as_of: datetime, sees_people: bool) -> Document:
    groupings = [name for name in TITLES if sees_people or name not in PEOPLE]
    return Document(
        name=f"closure-{found.month}",
        title="Detractors contacted within 72 h",
        subtitle=", ".join([phrases.month_name(found.month), *_narrowed(found)]),
        as_of=as_of,
        figures=_figures(found),
        tables=[
            _summary(found, sees_people),
            *(_group_table(name, found) for name in groupings),
            _contacts(found.first_contact),
            _closing(found.time_to_close),
            _truth(found),
            *([_recovery(found.recovery)] if found.recovery else []),
        ],
        explained=EXPLAINED,
    )


def _narrowed(found: ClosureReport) -> list[str]:
    wanted = found.filters
    survey = [name for name, _ in found.groups["survey"]] if wanted.survey else []
    return [*survey, *filter(None, (wanted.product, wanted.segment, wanted.region))]


def _figures(found: ClosureReport) -> list[Figure]:
    look, verdict = shown.verdict(found.closure)
    waits = found.first_contact.quantile(0.5) if found.first_contact.n else None
    denied = on_board.false_closures(found.false_closures)
    return [
        Figure(
            "Contacted within 72 h",
            phrases.closure(found.closure),
            verdict,
            f"Goal {shown.GOAL}. {takes(found)}",
            _moved(found),
            look,
        ),
        Figure(
            "Half were reached within",
            on_board.spent(waits) if found.first_contact.n >= on_board.ENOUGH else phrases.NONE,
            "The median, with those who still wait",
        ),
        Figure("Closings that customers deny", denied or phrases.NONE, "Said in this month"),
    ]


def _moved(found: ClosureReport) -> str:
    small = min(found.closure.n, found.before.n) < on_board.ENOUGH
    if small or found.change is None:
        return ""
    now, before = (share(one.contacted_in_time, one.n) for one in (found.closure, found.before))
    return phrases.moved("csat", now, before, "the month before")


def takes(found: ClosureReport) -> str:
    """What it takes to reach the goal in this month."""
    needs, goal = found.needed, shown.GOAL
    if needs.of_running is None:
        more = phrases.number(needs.further)
        return f"{goal} would take {more} further detractors, every one reached in time."
    if not needs.running:
        return ""
    if needs.of_running == 0:
        return f"{goal} is safe, whatever becomes of the {phrases.number(needs.running)} running."
    counts = f"{phrases.number(needs.of_running)} of the {phrases.number(needs.running)}"
    return f"{goal} takes {counts} whose 72 hours still run."


def _rows_of(found: ClosureReport, month: Month) -> RowsOf:
    filters = found.filters
    names = ("survey", "product", "segment", "region")
    wanted = {name: value for name in names if (value := getattr(filters, name))}

    def address(group: str) -> str:
        query = urlencode({"month": str(month), **wanted, "group": group})
        return f"{reverse('analysis:closure-tasks')}?{query}"

    return address


def _summary(found: ClosureReport, sees_people: bool) -> Table:
    rows = [(found.month, found.closure), (found.month.plus(-1), found.before)]
    return Table(
        "month",
        "This month and the one before",
        (Column("month", "Month"), *CLOSURE),
        [
            [
                Cell(str(m), phrases.month_name(m)),
                *(
                    with_rows(closure_cells(one), CLOSURE, _rows_of(found, m))
                    if sees_people
                    else closure_cells(one)
                ),
            ]
            for m, one in rows
        ],
        note="Each count leads to its tasks." if sees_people else "",
    )


def _group_table(name: str, found: ClosureReport) -> Table:
    return Table(
        name,
        TITLES[name],
        (Column(name, HEADS.get(name, name.capitalize())), *CLOSURE),
        [[Cell.of(group), *closure_cells(one)] for group, one in found.groups[name]],
        empty="No detractor’s 72 hours began in this month.",
    )


def _contacts(curve: Curve) -> Table:
    columns = (
        Column("hours", "Before", is_number=True),
        Column("reached", "Reached", is_number=True),
        Column("share", "Share", is_number=True),
        Column("share_low"),
        Column("share_high"),
        Column("waiting", "Still waiting", is_number=True),
    )
    return Table(
        "first_contact",
        "Time to the first contact",
        columns,
        [_contact_row(hours, curve) for hours in on_board.TABLE] if curve.n else [],
        note="Marked on the curve: 24, 48 and 72 hours. Shares from ten detractors on.",
        empty="No detractor’s 72 hours began in this month.",
        chart=on_board.contact_chart(curve, "Detractors reached, by hours since the answer"),
    )


def _contact_row(hours: int, curve: Curve) -> list[Cell]:
    found = curve.before(hours * 60)
    value, interval = on_board.reached(found)
    value = value if curve.n >= on_board.ENOUGH else None
    low, high = interval or (None, None)
    words = phrases.percent(value)
    if value is not None:
        words += f" ({phrases.span(low, high)})"
    return [
        Cell(hours, f"{hours}{phrases.NBSP}h"),
        Cell.of(found.events),
        Cell(rounded(value), words),
        Cell(rounded(low), ""),
        Cell(rounded(high), ""),
        Cell.of(found.at_risk),
    ]


def _closing(curve: Curve) -> Table:
    rows = []
    for part, words in on_board.SHARES:
        hours = curve.quantile(part)
        low, high = curve.quantile_interval(part)
        said = on_board.spent(hours * 60) if hours is not None else "not within 60 days"
        ends = f"{phrases.number(int(low))} to " if low is not None else ""
        ends += f"{phrases.number(int(high))} h" if ends and high is not None else ""
        if low is not None and high is None:
            ends = f"{phrases.number(int(low))} h or more"
        rows.append([
            Cell.of(words), Cell(hours, said), Cell(low, ends), Cell(high, ""), Cell.of(curve.n)
        ])  # fmt: skip
    return Table(
        "time_to_close",
        "Time to close",
        (
            Column("share", "Closed"),
            Column("hours", "Within", is_number=True),
            Column("hours_low", "Interval"),
            Column("hours_high"),
            Column("n", "Tasks", is_number=True),
        ),
        rows if curve.n >= on_board.ENOUGH else [],
        empty="Times are shown from ten tasks on.",
    )


def _truth(found: ClosureReport) -> Table:
    said = found.false_closures
    low, high = said.interval or (None, None)
    rate = said.rate if said.n >= on_board.ENOUGH else None
    row = [
        *map(Cell.of, (said.denied, said.unhelpful, said.confirmed, said.n)),
        Cell(rounded(rate), on_board.false_closures(said) or phrases.NONE),
        Cell(rounded(low), ""),
        Cell(rounded(high), ""),
    ]
    return Table(
        "false_closures",
        "What customers say of closings that claimed a conversation",
        (
            Column("denied", "Nobody got back", is_number=True),
            Column("unhelpful", "Somebody did, it did not help", is_number=True),
            Column("confirmed", "Somebody did", is_number=True),
            Column("n"),
            Column("rate", "Denied"),
            Column("rate_low"),
            Column("rate_high"),
        ),
        [row],
    )


def _recovery(found: Recovery) -> Table:
    rows = [("Reached before they answered again", found.reached), ("Not reached", found.unreached)]
    return Table(
        "recovered",
        "Detractors no more at their next answer",
        (
            Column("who", "Detractors of this month who answered again"),
            Column("n", "Answered again", is_number=True),
            Column("share", "Recovered"),
            Column("share_low"),
            Column("share_high"),
        ),
        [[Cell.of(name), Cell.of(one.n), *share_cells(one)] for name, one in rows],
        note="By the next score of the same customer in the same family of surveys. Who was "
        "reached and who was not may differ in more than that.",
    )


def share_cells(one: Score) -> list[Cell]:
    if one.value is None or one.low is None or one.high is None or one.n < on_board.ENOUGH:
        return [Cell(None, phrases.NONE), Cell(None, ""), Cell(None, "")]
    words = f"{phrases.percent(one.value)} ({phrases.span(one.low, one.high)})"
    return [
        Cell(rounded(one.value), words),
        Cell(rounded(one.low), ""),
        Cell(rounded(one.high), ""),
    ]
