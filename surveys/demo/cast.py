"""The rows that stand still: colleagues, accounts, customers, surveys, root causes."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from surveys.demo import company
from surveys.demo.comments import CAUSES
from surveys.loop import begin
from surveys.models import (
    Absence,
    Account,
    Brand,
    Customer,
    Family,
    Logo,
    RootCause,
    Survey,
    Team,
    User,
    Wording,
)

PROGRAMS = {
    "nps": ("NPS, twice a year", "nps", "", True),
    "csat": ("CSAT after a ticket", "csat", "", True),
    "ces": ("Effort of the set-up", "ces", "Installation", True),
    "old": ("Feedback from the old tool", "csat", "", False),
}
THROTTLE_DAYS = {"nps": 90, "csat": 7, "ces": 30, "old": 30}
ANY_TIME = {"send_from": 0, "send_until": 24, "working_days_only": False}  # a demo never waits
COUNTRIES = {
    "Europe/London": "GB", "Europe/Dublin": "IE", "Europe/Berlin": "DE", "Europe/Vienna": "AT",
    "Europe/Zurich": "CH", "Europe/Paris": "FR", "Europe/Brussels": "BE", "Europe/Amsterdam": "NL",
    "Europe/Madrid": "ES", "Europe/Lisbon": "PT", "America/New_York": "US",
    "America/Chicago": "US", "America/Toronto": "CA",
}  # fmt: skip
FAMILIES = {
    "Product": ("app_crashes", "missing_feature"),
    "Service": ("slow_support", "late_delivery", "rude_technician"),
    "Start": ("confusing_setup",),
    "Money": ("billing_errors", "price_rise"),
}


@dataclass(frozen=True)
class Cast:
    """Rows by the names that the story uses: e-mail, external id, program, cause."""

    users: dict[str, User]
    customers: dict[str, Customer]
    surveys: dict[str, Survey]
    causes: dict[str, RootCause]


def enter(now: datetime) -> Cast:
    begin.usual_mails(now)
    users = _users(now)
    return Cast(users, _customers(users, now), _surveys(now), _causes())


def _users(now: datetime) -> dict[str, User]:
    teams = {name: Team.objects.create(name=name) for name in ("North", "South")}
    password = make_password(company.PASSWORD)  # slow on purpose, so once for all of them
    joined = now - timedelta(days=700)
    users = User.objects.bulk_create(
        User(email=one.email, name=one.name, role=one.role, team=teams.get(one.team),
             password=password, joined_at=joined)
        for one in company.STAFF
    )  # fmt: skip
    by_email = {user.email: user for user in users}
    today = now.date()
    Absence.objects.create(
        user=by_email[company.JONAS], cover=by_email[company.TESSA],
        first_day=today - timedelta(days=1), last_day=today + timedelta(days=6),
    )  # fmt: skip
    return by_email


def _customers(users: dict[str, User], now: datetime) -> dict[str, Customer]:
    accounts = Account.objects.bulk_create(
        Account(external_id=one.key, name=one.name, owner=users.get(one.owner), region=one.region,
                segment=one.segment, revenue=one.revenue,
                renews_on=_next_first_of(one.renewal_month, now.date()))
        for one in company.ACCOUNTS
    )  # fmt: skip
    by_key = {account.external_id: account for account in accounts}
    customers = Customer.objects.bulk_create(
        Customer(account=by_key[one.account], external_id=one.external_id, name=one.name,
                 email=one.email or None, language=one.language, time_zone=one.time_zone,
                 country=COUNTRIES[one.time_zone], phone=one.phone,
                 is_key_contact=one.key_contact, created_at=now - timedelta(days=600))
        for one in company.customers()
    )  # fmt: skip
    return {customer.external_id: customer for customer in customers}


def _next_first_of(month: int, today: date) -> date:
    this_year = date(today.year, month, 1)
    return this_year if this_year > today else date(today.year + 1, month, 1)


def _brand() -> Brand:
    logo = Logo.of((Path(__file__).parent / "larkfield.png").read_bytes())
    logo.save()
    return Brand.objects.create(
        name=company.COMPANY, logo=logo, colour="#0f766e",
        review_url="https://reviews.example/larkfield",
    )  # fmt: skip


def _surveys(now: datetime) -> dict[str, Survey]:
    brand = _brand()
    words = tomllib.loads((Path(__file__).parent / "phrases" / "wordings.toml").read_text("utf-8"))
    surveys = {}
    for key, (name, kind, product, is_open) in PROGRAMS.items():
        family = Family.objects.create(name=name, throttle_days=THROTTLE_DAYS[key])
        surveys[key] = Survey.objects.create(
            name=name, family=family, kind=kind, product=product, is_open=is_open,
            sender_name=company.COMPANY, brand=brand, created_at=now - timedelta(days=600),
            **ANY_TIME,
        )  # fmt: skip
        Wording.objects.bulk_create(
            Wording(survey=surveys[key], language=language, **text)
            for language, text in words[kind].items()
        )
    return surveys


def _causes() -> dict[str, RootCause]:
    causes = {}
    for family, members in FAMILIES.items():
        parent, _ = RootCause.objects.get_or_create(name=family)
        for key in members:
            causes[key], _ = RootCause.objects.get_or_create(
                name=CAUSES[key], defaults={"parent": parent}
            )
    return causes
