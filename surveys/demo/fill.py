"""Fills an empty database with the demo company."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from surveys.demo import cast as casting
from surveys.demo import company, escalated, live, pressed, story, tickets
from surveys.demo.cast import Cast
from surveys.demo.history import (
    BATCH,
    History,
    first_versions,
    loose_response,
    tell_of_silence,
)
from surveys.loop import ask, suppress
from surveys.models import (
    Customer,
    Invitation,
    OpenAnswer,
    OpenLink,
    Response,
    Suppression,
    Survey,
    User,
    Wave,
)
from surveys.models.open_links import new_key

LIVE = timedelta(hours=72)  # answers younger than this go through the verbs
JUST_ASKED = 5  # invitations that still wait in the outbox, so that a mail is seen to arrive
UNASKED = timedelta(days=7)  # for so long, so that no throttle keeps them from being asked


class NotEmpty(Exception):
    """The database holds the demo already, or a company's own data, which the demo keeps out of."""


def _silent(line: str) -> None:
    """Progress for nobody."""


@transaction.atomic
def fill(
    now: datetime, seed: int = story.SEED, tell: Callable[[str], None] = _silent
) -> dict[str, int]:
    """The whole demo or, when anything fails, nothing of it.

    `now` is aware and in UTC; `tell` is given a line as each part is done. Returns the counts of
    customers, invitations and answers. Raises NotEmpty.
    """
    _refuse_unless_empty()
    told = story.tell(now, seed)
    cast = casting.enter(now)
    tell(f"customers {len(cast.customers):,}")
    _without_invitation(told, cast)
    invitations = History(cast, now - LIVE, tell).write(told.asked)
    pairs = zip(told.asked, invitations, strict=True)
    _last_days([pair for pair in pairs if live.is_live(pair[0], now - LIVE)], cast, tell)
    tell_of_silence(now)
    _right_now(cast, now)
    escalated.tell(now)
    tickets.tell(cast, now)
    pressed.tell(now)
    answers = Response.objects.count()
    return {"customers": len(cast.customers), "invitations": len(invitations), "answers": answers}


def _refuse_unless_empty() -> None:
    if User.objects.filter(email=company.MIRA).exists():
        raise NotEmpty("The demo is already there.")
    if Customer.objects.exists() or Survey.objects.exists():
        raise NotEmpty("This database has data of its own; the demo was left out.")


def _without_invitation(told: story.Story, cast: Cast) -> None:
    """The old tool's answers, and those from the open link on the counter."""
    Response.objects.bulk_create(
        [
            loose_response(one, survey=cast.surveys["old"], external_id=f"old-{number:05}",
                           source=Response.Source.IMPORTED)
            for number, one in enumerate(told.imported, start=1)
        ],
        BATCH,
    )  # fmt: skip
    survey, source = cast.surveys["csat"], Response.Source.ANONYMOUS
    anonymous = [loose_response(one, survey=survey, source=source) for one in told.anonymous]
    first_versions(Response.objects.bulk_create(anonymous, BATCH))
    counter = OpenLink.objects.create(
        survey=survey, name="Counter of the repair shop", framed_by=f"https://www.{company.DOMAIN}"
    )
    OpenAnswer.objects.bulk_create(
        OpenAnswer(link=counter, response=one, at=one.answered_at,
                   digest=OpenAnswer.digest_of(counter, new_key()))
        for one in anonymous
    )  # fmt: skip


def _last_days(pairs: list, cast: Cast, tell: Callable[[str], None]) -> None:
    for one, invitation in sorted(pairs, key=lambda pair: pair[0].answer.at):
        live.play(one, invitation, cast)
    tell(f"answers of the last three days {len(pairs):,}")


def _right_now(cast: Cast, now: datetime) -> None:
    """What a newcomer can go on with: fresh mails, an opt-out, and a wave to launch."""
    people = [row for row in cast.customers.values() if row.email]
    asked = Invitation.objects.filter(send_at__gt=now - UNASKED).values_list("customer", flat=True)
    rested = [row for row in people if row.pk not in set(asked)]
    ask.invite(cast.surveys["csat"], rested[:JUST_ASKED], "helpdesk:T-9999", now,
               product="Till app")  # fmt: skip
    for row in people[-2:]:
        suppress.suppress(row.email, Suppression.Reason.UNSUBSCRIBED, now)
    Wave.objects.create(
        survey=cast.surveys["nps"], name=f"NPS {company.BIG}, next round", segment=company.BIG
    )
