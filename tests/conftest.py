"""The small cast that most tests share, and the instant at which they all happen."""

from datetime import UTC, datetime

import hypothesis
import pytest

from surveys.loop import answer
from surveys.models import (
    Account,
    Customer,
    Kind,
    Response,
    Role,
    RootCause,
    Survey,
    Team,
    User,
    Wording,
)
from surveys.pages import clients

# No test here is about time. The gate tries the same examples each time, so that what it says is
# about the change; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("gate", deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile("gate")

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def team(db):
    return Team.objects.create(name="North")


@pytest.fixture
def alice(team):
    """An account manager."""
    return colleague("alice", Role.ACCOUNT_MANAGER, team)


@pytest.fixture
def bob(db):
    """An account manager of another team, who should see nothing of Alice's."""
    return colleague("bob", Role.ACCOUNT_MANAGER, Team.objects.create(name="South"))


@pytest.fixture
def lead(team):
    return colleague("lead", Role.TEAM_LEAD, team)


@pytest.fixture
def manager(db):
    return colleague("manager", Role.PROGRAM_MANAGER)


@pytest.fixture
def administrator(db):
    return colleague("administrator", Role.ADMINISTRATOR)


@pytest.fixture
def auditor(db):
    return colleague("auditor", Role.AUDITOR)


@pytest.fixture
def product(db):
    """A member of the product team, who should never see a name."""
    return colleague("product", Role.PRODUCT_TEAM)


def colleague(name: str, role: str, team: Team | None = None) -> User:
    return User.objects.create_user(
        f"{name}@northwind.example", "a-long-password", name=name.title(), role=role, team=team
    )


@pytest.fixture
def account(alice):
    return Account.objects.create(name="Lakeside Mills", owner=alice, segment="Enterprise")


@pytest.fixture
def customer(account):
    return Customer.objects.create(
        account=account, name="Ines Okafor", email="ines@lakeside.example", language="en"
    )


def survey_of(kind: str, **fields) -> Survey:
    any_time = {"send_from": 0, "send_until": 24, "working_days_only": False}
    survey = Survey.objects.create(name=fields.pop("name", kind), kind=kind, **any_time, **fields)
    Wording.objects.create(
        survey=survey,
        subject="How are we doing, {name}?",
        question="How likely are you to recommend {company}?",
        low_label="Not at all likely",
        high_label="Extremely likely",
        comment_label="What is the main reason?",
        thanks="Thank you. We read every answer.",
    )
    return survey


@pytest.fixture
def nps(db):
    return survey_of(Kind.NPS, name="Relationship", product="Delivery")


def correct(response: Response, score: int, comment: str, now: datetime) -> Response:
    """What customers do who have changed their mind."""
    invitation = response.invitation
    return answer.press(invitation, score, now, comment=comment, confirmed=True).response


@pytest.fixture
def root_cause(db):
    return RootCause.objects.create(name="Late delivery")


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """The real hasher is slow on purpose; no test here is about it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _strangers():
    """All tests come from one address; what it did in another test is no sign of a machine."""
    clients.walks.forget()
    clients.guesses.forget()
