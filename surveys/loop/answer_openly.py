"""Answer openly: what somebody says by an open link, without saying who they are.

It opens no task, for there is nobody to call, and no wish to be contacted is taken that would lead
nowhere. It is sorted and counted apart from the answers of those we asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q

from surveys.loop import answer
from surveys.loop.answer import More, Pressed
from surveys.models import OpenAnswer, OpenLink, Response, Sign, Survey, Wording

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class TooMany(Exception):
    """The link takes no more answers for now, or none from where this one came."""


@dataclass(frozen=True)
class AskedOpenly:
    """What a page about an open link shows; the counterpart of `asked.Asked`."""

    link: OpenLink
    response: Response | None
    wording: Wording
    invitation: None = None
    name: str = ""
    fell_for_link: bool = False

    @property
    def survey(self) -> Survey:
        return self.link.survey

    @property
    def language(self) -> str:
        return self.wording.language

    @property
    def product(self) -> str:
        return self.survey.product

    @property
    def answer(self) -> Response | None:
        """What a person answered."""
        given = self.response
        return given if given and given.verdict == Response.Verdict.PERSON else None

    def is_over(self, now: datetime) -> bool:
        return not self.link.takes_answers


def find(token: str, key: str, language: str) -> AskedOpenly | None:
    """What the link asks a reader of `language`, and what was answered in the form of `key`.

    The words are in the reader's language if there are any, else in the link's, else in the
    survey's. None for a token that is none. Raises NoWording.
    """
    links = OpenLink.objects.by_token(token).select_related("survey__brand")
    link = links.prefetch_related("survey__wordings").first()
    if link is None:
        return None
    given = OpenAnswer.objects.by_key(link, key).select_related("response").first() if key else None
    if given:
        given.response.survey = link.survey
    return AskedOpenly(link, given.response if given else None, wording(link, language))


def wording(link: OpenLink, language: str) -> Wording:
    """Raises NoWording."""
    found = link.survey.wording_for(language)
    is_theirs = found.language.split("-")[0] == language.split("-")[0]
    return found if is_theirs else link.survey.wording_for(link.language or link.survey.language)


@transaction.atomic
def press(
    about: AskedOpenly, key: str, client: str, score: int, now: datetime, **how: Any
) -> Pressed:
    """Store what the button of the form of `key` sent from `client` (client_hash): one answer,
    however often it is sent, or a correction up to 14 days later.

    `how` is as of answer.press. Raises answer.CannotAnswer, answer.TooLateToCorrect, TooMany,
    sort.ScoreOutOfRange.
    """
    rows = OpenLink.objects.select_for_update(of=("self",), no_key=True).select_related("survey")
    link = rows.get(pk=about.link.pk)  # two at once: the second waits, so that limits are exact
    known = OpenAnswer.objects.by_key(link, key).select_related("response__survey").first()
    if known and known.response.verdict == Response.Verdict.PERSON:
        answer.refuse_late(known.response, now)
    elif not link.takes_answers:
        raise answer.CannotAnswer("This survey has ended.")
    if known:
        return answer.take(known.response, score, now, **how)
    _refuse_too_many(link, client, now)
    pressed = answer.take(_new(link, about.language, now), score, now, **how)
    digest = OpenAnswer.digest_of(link, key)
    link.answers.create(response=pressed.response, at=now, client=client, digest=digest)
    return pressed


def add(response: Response, more: More, now: datetime, signs: list[Sign]) -> Pressed:
    """What the page after the score sent, but for a wish to be contacted: we know nobody."""
    return answer.add(response, More(more.comment, more.reasons), now, signs)


def _refuse_too_many(link: OpenLink, client: str, now: datetime) -> None:
    """What machines sent counts too: whoever sends them in masses is to be stopped."""
    theirs = Q(client=client, at__gt=now - HOUR)
    came = link.answers.within(DAY, now).aggregate(
        all=Count("pk"), theirs=Count("pk", filter=theirs)
    )
    if came["theirs"] >= link.client_limit:
        raise TooMany(f"“{link}” had {link.client_limit} answers from one address in an hour.")
    if came["all"] >= link.daily_limit:
        raise TooMany(f"“{link}” had {link.daily_limit} answers in 24 hours.")


def _new(link: OpenLink, language: str, now: datetime) -> Response:
    return Response(
        survey=link.survey,
        kind=link.survey.kind,
        source=Response.Source.ANONYMOUS,
        language=language,
        product=link.survey.product,
        answered_at=now,
    )
