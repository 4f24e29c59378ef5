"""Press: the first press of a button as one statement, with all that follows from it.

By far the most answers come this way, and one round trip to the database is a fraction of the cost
of `answer.press`, which writes the same rows (a test holds them together) and knows all the rules.
What is not plain here (another answer, a survey that is over, a followed trap, a survey that looks
at loyalty) writes nothing and is left to it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.delivery.prepared import first_row, insert
from surveys.loop import asked, follow_up
from surveys.loop.asked import Asked
from surveys.loop.follow_up import ENTRY, MAIL, TASK
from surveys.loop.own import JOIN_FIRST_OWNER
from surveys.models import (
    BANDS,
    COMMENT_LENGTH,
    AuditEntry,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
)

TRIES = 2


class Press(NamedTuple):
    asked: Asked
    response: Response | None  # None: nothing was written


def press(
    token: str, score: int, comment: str, language: str, client: str, now: datetime
) -> Press | None:
    """The answer to what `token` asks, stored if it is a plain first one. None: no such token.

    Raises NoWording.
    """
    values = asked.values_of(token, language, client, now)
    values |= follow_up.values_of(OutreachTask.Cause.DETRACTOR, now, is_complete=bool(comment))
    values |= {"score": score, "comment": comment[:COMMENT_LENGTH]}
    row = _done(values)
    if row is None:
        return None
    *_, segment, band, _is_plain, response_id, task_id = row
    about = asked.asked_in(row)
    if response_id is None:
        return Press(about, None)
    if task_id is not None and comment:  # without one the mail waits a while for it
        hint(SEND)
    response = Response(
        pk=response_id,
        survey=about.survey,
        kind=about.survey.kind,
        invitation=about.invitation,
        customer=about.invitation.customer,
        score=score,
        band=band,
        comment=values["comment"],
        language=about.invitation.language,
        product=about.invitation.product,
        segment=segment,
        answered_at=now,
    )
    return Press(about, response)


def _done(values: dict[str, Any]) -> tuple | None:
    """Whose records are being merged at this moment is found at the second try: the first one waits
    for the invitation, and then sees it without the customer that it has by now."""
    for _ in range(TRIES):
        if row := first_row(_statement(), values):
            return row
    return None


# What each INSERT writes, as SQL; every field that is not named gets its default, as in Python.
ANSWER = {
    "survey": "found.of",
    "kind": "found.scale",
    "invitation": "found.asked",
    "customer": "found.whom",
    "score": "%(score)s",
    "band": "found.sorted",
    "comment": "%(comment)s",
    "language": "found.tongue",
    "product": "found.about",
    "segment": "found.part",
    "answered_at": "%(now)s",
}
VERSION = {
    "response": "answer.id",
    "number": "1",
    "score": "%(score)s",
    "comment": "%(comment)s",
    "recorded_at": "%(now)s",
}


@cache
def _statement() -> str:
    return f"""
WITH found AS (
    SELECT {asked.columns()},
           invitation.id AS asked, customer.id AS whom, survey.id AS of, survey.kind AS scale,
           invitation.language AS tongue, invitation.product AS about, first_owner.id AS owner,
           coalesce(nullif(customer.segment, ''), account.segment, '') AS part, band.name AS sorted,
           band.name IS NOT NULL AND response.id IS NULL
               AND survey.is_open AND invitation.expires_at > %(now)s
               AND (band.name = 'detractor' OR NOT survey.task_on_loyalty_drop)
               AND NOT {asked.FOLLOWED} AS is_plain
    {asked.FROM}
    LEFT JOIN surveys_account account ON account.id = customer.account_id
    {JOIN_FIRST_OWNER}
    LEFT JOIN (VALUES {_bands()}) AS band (kind, name, low, high)
        ON band.kind = survey.kind AND %(score)s BETWEEN band.low AND band.high
    {asked.WHERE}
    FOR KEY SHARE OF invitation  -- who is being forgotten at this moment is not found
), answer AS (
    {insert(Response, ANSWER)} FROM found WHERE is_plain
    ON CONFLICT (invitation_id) DO NOTHING RETURNING id
), version AS (
    {insert(ResponseVersion, VERSION)} FROM answer
), task AS (
    {insert(OutreachTask, TASK)} FROM answer, found WHERE sorted = 'detractor' RETURNING id
), entry AS (
    {insert(AuditEntry, ENTRY)} FROM task, found
), mail AS (
    {insert(Message, MAIL)} FROM task, found WHERE owner IS NOT NULL
)
SELECT found.*, answer.id, task.id
FROM found LEFT JOIN answer ON true LEFT JOIN task ON true
"""  # noqa: S608 - nothing in it comes from outside


def _bands() -> str:
    return ", ".join(
        f"('{kind}', '{band}', {low}, {high})"
        for kind, bands in BANDS.items()
        for band, (low, high) in bands.items()
    )
