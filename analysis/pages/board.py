"""The manager's board: today's work at a glance, and a way from each figure to its tasks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from analysis import phrases
from analysis.board import COHORT, Board, board
from analysis.pages import on_board, shown
from analysis.pages.door import for_holders_of, framed
from surveys.admin.wave_page import TASKS_A_DAY, LimitForm


@for_holders_of("surveys.view_outreachtask")
def page(request: HttpRequest) -> HttpResponse:
    form = LimitForm(request.GET if "tasks" in request.GET else None)
    limit = form.cleaned_data["tasks"] if form.is_bound and form.is_valid() else TASKS_A_DAY
    found = board(request.user, limit, timezone.now())
    context = {"title": "Board", "form": form, "limit": limit, **_work(found), **_goes(found)}
    return framed(request, "analysis/board.html", context)


def _work(found: Board) -> dict[str, object]:
    return {
        "as_of": found.as_of,
        "figures": on_board.figures(found.total),
        "columns": list(on_board.FIGURES.values()),
        "owners": [on_board.owner_row(*row) for row in found.by_owner],
        "teams": [on_board.team_row(*row) for row in found.by_team],
        "loads": on_board.load_rows(found),
        "absences": [on_board.absence_row(one, found) for one in found.absences],
    }


def _goes(found: Board) -> dict[str, object]:
    look, verdict = shown.verdict(found.closure)
    return {
        "month": phrases.month_name(found.month),
        "month_before": phrases.month_name(found.month.plus(-1)),
        "figure": phrases.closure(found.closure),
        "figure_before": phrases.closure(found.closure_before),
        "goal": shown.GOAL,
        "look": look,
        "verdict": verdict,
        "parts": shown.parts(found.closure),
        "denied": on_board.false_closures(found.false_closures),
        "unhelpful": phrases.number(found.false_closures.unhelpful),
        "n": phrases.number(found.first_contact.n),
        "reached": phrases.number(found.first_contact.events),
        "days": COHORT.days,
        "enough": on_board.ENOUGH,
        "quantiles": on_board.quantile_rows(found.first_contact),
        "chart": on_board.contact_chart(found.first_contact),
        "contacts": on_board.contact_rows(found.first_contact),
        "time_zone": timezone.get_default_timezone_name(),
    }
