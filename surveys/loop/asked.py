"""Asked: all that a page about an invitation shows, by its secret link, in one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from typing import Any

from django.db import connection, models

from surveys.delivery.prepared import first_row
from surveys.models import (
    Brand,
    Customer,
    Invitation,
    NoWording,
    Response,
    Survey,
    Wording,
)
from surveys.models.invitations import token_digest

ROWS: dict[str, type[models.Model]] = {
    "invitation": Invitation,
    "survey": Survey,
    "customer": Customer,
    "brand": Brand,
    "response": Response,
    "wording": Wording,
}

# The rule of Survey.wording_for, with the reader's own language before the survey's. The hidden
# link counts against whoever followed it, and for two minutes against everybody.
FROM = """
FROM surveys_invitation invitation
JOIN surveys_survey survey ON survey.id = invitation.survey_id
JOIN surveys_customer customer ON customer.id = invitation.customer_id
LEFT JOIN surveys_brand brand ON brand.id = survey.brand_id
LEFT JOIN surveys_response response ON response.invitation_id = invitation.id
LEFT JOIN LATERAL (
    SELECT * FROM surveys_wording
    WHERE survey_id = survey.id
    ORDER BY array_position(ARRAY[invitation.language, split_part(invitation.language, '-', 1),
                                  %(language)s, survey.language], language::text), language
    LIMIT 1
) wording ON true
"""
FOLLOWED = """EXISTS (
    SELECT FROM surveys_visit visit
    WHERE visit.invitation_id = invitation.id AND visit.what = 'hidden_link'
      AND (visit.at > %(now)s - interval '2 minutes'
           OR visit.client = %(client)s AND visit.at > %(now)s - interval '1 day')
)"""
WHERE = "WHERE invitation.answer_digest = %(digest)s"


@dataclass(frozen=True)
class Asked:
    """An invitation with its survey (and its brand) and customer, the answer if there is one, and
    the words for them. `fell_for_link`: the hidden link of the mail was followed."""

    invitation: Invitation
    response: Response | None
    wording: Wording
    fell_for_link: bool

    @property
    def survey(self) -> Survey:
        return self.invitation.survey

    @property
    def language(self) -> str:
        return self.invitation.language

    @property
    def name(self) -> str:
        return self.invitation.customer.name

    @property
    def product(self) -> str:
        return self.invitation.product

    @property
    def answer(self) -> Response | None:
        """What a person answered."""
        given = self.response
        return given if given and given.verdict == Response.Verdict.PERSON else None

    def is_over(self, now: datetime) -> bool:
        return self.invitation.has_expired(now) or not self.survey.is_open


def find(token: str, language: str, client: str, now: datetime) -> Asked | None:
    """What `token` asks, for a reader of `language` who comes from `client` (client_hash).

    None for a token that is none. Raises NoWording.
    """
    row = first_row(_statement(), values_of(token, language, client, now))
    return asked_in(row) if row else None


def values_of(token: str, language: str, client: str, now: datetime) -> dict[str, Any]:
    """The values that `columns` and FROM ask for."""
    return {"digest": token_digest(token), "language": language, "client": client, "now": now}


@cache
def _statement() -> str:
    return f"SELECT {columns()} {FROM} {WHERE}"


@cache
def columns() -> str:
    """What to select from FROM, for `asked_in` to read."""
    named = [f'{name}."{column}"' for name, model in ROWS.items() for column in _columns(model)]
    return ", ".join([*named, f"{FOLLOWED} AS fell_for_link"])


def asked_in(row: Sequence[Any]) -> Asked:
    """A row of `columns`, as models. Raises NoWording."""
    found = {name: _model(name, row) for name in ROWS}
    invitation, survey = found["invitation"], found["survey"]
    if found["wording"] is None:
        raise NoWording(f"“{survey}” has no wording yet: add one before asking.")
    survey.brand = found["brand"]
    invitation.survey, invitation.customer = survey, found["customer"]
    if response := found["response"]:
        response.survey, response.invitation = survey, invitation
        response.customer = found["customer"] if response.customer_id else None
    return Asked(invitation, response, found["wording"], row[_ends()["wording"]])


def _model(name: str, row: Sequence[Any]) -> Any:
    model, end = ROWS[name], _ends()[name]
    attributes = _attributes(model)
    values = row[end - len(attributes) : end]
    is_there = values[attributes.index(model._meta.pk.attname)] is not None
    return model.from_db(connection.alias, attributes, values) if is_there else None


@cache
def _ends() -> Mapping[str, int]:
    return dict(zip(ROWS, accumulate(len(_columns(model)) for model in ROWS.values()), strict=True))


@cache
def _columns(model: type[models.Model]) -> list[str]:
    return [str(field.column) for field in model._meta.concrete_fields]


@cache
def _attributes(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
