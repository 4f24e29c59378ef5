"""Who came by with a customer's link: the evidence for telling people and machines apart."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from surveys.models.invitations import Invitation

AGENT_LENGTH = 200


def client_hash(address: str) -> str:
    """16 hexadecimal digits, HMAC-SHA256 of an internet address: enough to see that two visits came
    from one place, not where that is."""
    key = b"client|" + settings.LINK_KEY.encode()
    return hmac.new(key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]


class Visits(models.QuerySet["Visit"]):
    def in_traps(self, invitation: Invitation, client: str, now: datetime) -> Visits:
        """What machines did with the links of one mail: in the last two minutes, or by this client
        in the last day."""
        lately = Q(at__gt=now - timedelta(minutes=2))
        by_this_one = Q(client=client, at__gt=now - timedelta(days=1))
        what = [Visit.What.HIDDEN_LINK, Visit.What.CAUGHT]
        return self.filter(lately | by_this_one, invitation=invitation, what__in=what)

    def scores_pressed(self, invitation: Invitation, now: datetime) -> set[int]:
        """Those of the buttons, and of the links to the buttons, of the last two minutes."""
        pressed = self.filter(invitation=invitation, at__gt=now - timedelta(minutes=2))
        pressed = pressed.filter(what__in=[Visit.What.PRESSED, Visit.What.CAUGHT])
        return set(pressed.exclude(score=None).values_list("score", flat=True))


class Visit(models.Model):
    """One look at a page, or one press of a button on it.

    Rows are appended after the response by a role of the database that may do nothing else, and
    lost rather than waited for (surveys/delivery/visits.py). No answer waits for them; what
    they show of a machine may keep one from counting.
    """

    class What(models.TextChoices):
        OPENED = "opened", "Opened the page"
        LOOKED = "looked", "Asked for the headers only"
        HIDDEN_LINK = "hidden_link", "Followed the hidden link"
        OPT_OUT_PAGE = "opt_out_page", "Opened the page to unsubscribe"
        PRESSED = "pressed", "Pressed the button"
        CAUGHT = "caught", "Was caught pressing a button"

    invitation = models.ForeignKey(  # without a constraint: it would lock the invitation
        Invitation, db_constraint=False, on_delete=models.CASCADE, related_name="visits"
    )
    at = models.DateTimeField()
    what = models.CharField(max_length=12, choices=What.choices)
    score = models.SmallIntegerField(null=True)  # of the link, or of the button
    client = models.CharField(max_length=16)
    agent = models.CharField("browser", max_length=AGENT_LENGTH, blank=True)

    objects = Visits.as_manager()

    class Meta:
        ordering = ["at"]
        indexes = [BrinIndex(fields=["at"], name="visits_to_forget")]

    def __str__(self) -> str:
        return f"{self.get_what_display()}, {self.at:%Y-%m-%d %H:%M:%S} UTC"
