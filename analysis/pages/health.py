"""The health of the accounts: what is safe, what is at risk, and what nobody knows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from analysis import phrases
from analysis.health import RISK_BELOW, STATES, Health, health
from analysis.measures.scores import share
from analysis.months import Month
from analysis.pages.document import Cell, Column, Document, Figure, Table, rounded
from analysis.pages.door import for_readers_of_reports, framed
from analysis.pages.files import FORMS
from analysis.pages.filters import FilterForm, report_filters
from analysis.rollups import counted_at

WORDS = {"safe": "Safe", "at_risk": "At risk", "unknown": "Unknown"}
LOOKS = {"safe": "good", "at_risk": "bad", "unknown": "apart"}
MEANINGS = {
    "safe": f"NPS of {phrases.signed(RISK_BELOW)} or more",
    "at_risk": f"NPS below {phrases.signed(RISK_BELOW)}",
    "unknown": "Never asked, or silent for twelve months",
}
EXPLAINED = (
    f"An account is at risk where the NPS of its own answers of twelve months is below "
    f"{RISK_BELOW}. One answer is enough: this is to look after accounts, not to compare groups.",
    "Coverage is the share of accounts of which anybody has answered an NPS survey.",
    "Segments, regions and revenues are those that accounts have today. The filters for survey and "
    "product do not apply.",
)


@for_readers_of_reports
def page(request: HttpRequest) -> HttpResponse:
    form, document = _document(request)
    context = {"title": "Account health", "form": form, "document": document, "forms": list(FORMS)}
    context |= {"query": request.GET.urlencode(), "name": "analysis:health-file"}
    return framed(request, "analysis/document.html", context)


@for_readers_of_reports
def file(request: HttpRequest, form: str) -> HttpResponse:
    return FORMS[form](_document(request)[1])


def _document(request: HttpRequest) -> tuple[FilterForm, Document]:
    form, filters = report_filters(request, now := timezone.now())
    del form.fields["survey"], form.fields["product"]
    month = filters.month or Month.of(now)
    found = health(month, filters.segment, filters.region)
    names = request.user.has_perm("surveys.view_account")
    narrowed = [one for one in (filters.segment, filters.region) if one]
    return form, document(found, month, narrowed, counted_at() or now, names)


def document(
    found: Health, month: Month, narrowed: list[str], as_of: datetime, names: bool
) -> Document:
    return Document(
        name=f"accounts-{month}",
        title="Account health",
        subtitle=", ".join([f"twelve months until {phrases.month_name(month)}", *narrowed]),
        as_of=as_of,
        figures=[
            *(_figure(state, found) for state in STATES),
            Figure("Coverage", _coverage(found), "Accounts of which anybody has answered"),
        ],
        tables=[_states(found), *([_at_risk(found)] if names else [])],
        explained=EXPLAINED,
    )


def _money(amount: Decimal) -> str:
    return f"{phrases.number(round(amount))}{phrases.NBSP}{settings.CURRENCY}"


def _coverage(found: Health) -> str:
    """Of all accounts, not of a sample of them: there is no interval."""
    if not found.accounts:
        return phrases.NONE
    known, n = phrases.number(found.known), phrases.number(found.accounts)
    return f"{known} of {n} ({phrases.percent(found.known / found.accounts)})"


def _figure(state: str, found: Health) -> Figure:
    one = found.states[state]
    words = f"{phrases.number(one.accounts)} of {phrases.number(found.accounts)} accounts"
    look = LOOKS[state] if one.accounts else "apart"
    return Figure(
        WORDS[state], words, f"{_money(one.revenue)} a year. {MEANINGS[state]}", look=look
    )


def _states(found: Health) -> Table:
    rows = []
    for state in STATES:
        one = found.states[state]
        of_all = share(one.accounts, found.accounts).value
        of_revenue = float(one.revenue / found.revenue) if found.revenue else None
        rows.append([
            Cell(state, WORDS[state]),
            Cell.of(one.accounts),
            Cell(rounded(of_all), phrases.percent(of_all)),
            Cell(round(float(one.revenue), 2), _money(one.revenue)),
            Cell(rounded(of_revenue), phrases.percent(of_revenue)),
        ])  # fmt: skip
    return Table(
        "health",
        "Accounts and their revenue",
        (
            Column("state", "State"),
            Column("accounts", "Accounts", is_number=True),
            Column("share", "Of all", is_number=True),
            Column("revenue", "Yearly revenue", is_number=True),
            Column("share_of_revenue", "Of all", is_number=True),
        ),
        rows if found.accounts else [],
        empty="There are no accounts with these filters.",
    )


def _at_risk(found: Health) -> Table:
    rows = [
        [
            Cell(one.name, one.name, reverse("admin:surveys_account_change", args=[one.account])),
            Cell(rounded(one.nps), phrases.signed(one.nps)),
            Cell.of(one.n),
            Cell(None, phrases.NONE)
            if one.revenue is None
            else Cell(round(float(one.revenue), 2), _money(one.revenue)),
        ]
        for one in found.at_risk
    ]
    return Table(
        "at_risk",
        "At risk, those with most revenue first",
        (
            Column("account", "Account"),
            Column("nps", "NPS", is_number=True),
            Column("n", "n", is_number=True),
            Column("revenue", "Yearly revenue", is_number=True),
        ),
        rows,
        note="At most twenty.",
        empty="None is at risk, as far as is known.",
    )
