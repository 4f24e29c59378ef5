"""How customers and machines pressed the buttons lately: wishes to be called, a mail scanner."""

from datetime import datetime, timedelta

from surveys.loop import answer
from surveys.models import Band, Invitation, Response, Sign, Visit

LATELY = timedelta(days=2)
WISHES = (("phone", "Tuesday after four, please"), ("email", ""))
SCANNERS = 3
SCANNER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) HeadlessChrome/131.0"
CLIENT = "5ca11ab1e0ddba11"


def tell(now: datetime) -> None:
    """Two content customers who would like a word, and three mails that a machine went through."""
    lately = Response.objects.counted().filter(answered_at__gt=now - LATELY, source="invited")
    content = lately.filter(band=Band.PROMOTER, task=None).order_by("pk")
    for response, (channel, time) in zip(content, WISHES, strict=False):
        more = answer.More(response.comment, channel=channel, time=time)
        answer.add(response, more, response.answered_at + timedelta(minutes=1))
    asked = Invitation.objects.unanswered().filter(expires_at__gt=now, survey__is_open=True)
    for invitation in asked.order_by("-sent_at", "pk")[:SCANNERS]:
        _scan(invitation, invitation.sent_at + timedelta(seconds=4))


def _scan(invitation: Invitation, at: datetime) -> None:
    """Every link of the mail, the hidden one too, and then the button."""
    looks = [(Visit.What.OPENED, score) for score in invitation.survey.scale]
    looks += [(Visit.What.HIDDEN_LINK, None), (Visit.What.CAUGHT, 0)]
    Visit.objects.bulk_create(
        Visit(invitation=invitation, at=at + timedelta(milliseconds=150 * number), what=what,
              score=score, client=CLIENT, agent=SCANNER)
        for number, (what, score) in enumerate(looks)
    )  # fmt: skip
    pressed_at = at + timedelta(milliseconds=150 * len(looks))
    lowest = invitation.survey.scale[0]
    answer.press(invitation, lowest, pressed_at, signs=[Sign.TOO_FAST, Sign.HIDDEN_LINK])
