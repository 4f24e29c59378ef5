"""Open links: one address for everybody, on a counter, an invoice or a web page."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.utils import timezone

from surveys.models.domains import in_ascii
from surveys.models.invitations import new_seed, token, token_digest
from surveys.models.responses import Response
from surveys.models.surveys import Survey

PURPOSE = "open"  # of the token
MOST_ORIGINS = 20
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")


def origin(text: str) -> str:
    """`text` as browsers write an origin (RFC 6454), such as https://shop.example or :8443 behind.

    Raises ValidationError for anything but scheme https, a host and perhaps a port: a path would be
    no origin, and a wildcard would let in pages that nobody listed.
    """
    said = f"“{text}” is no origin. Write it like https://www.example.com, without a path."
    try:
        parts = urlsplit(text.strip().rstrip("/"))
        host, port = in_ascii(parts.hostname or ""), parts.port
    except ValueError as error:
        raise ValidationError(said) from error
    rest = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme != "https" or rest or not HOST.fullmatch(host):
        raise ValidationError(said)
    return f"https://{host}" + (f":{port}" if port not in (None, 443) else "")


def origins(text: str) -> list[str]:
    """One for each line that is not empty. Raises ValidationError."""
    found = list(dict.fromkeys(origin(line) for line in text.splitlines() if line.strip()))
    if len(found) > MOST_ORIGINS:
        raise ValidationError(f"At most {MOST_ORIGINS} origins.")
    return found


class OpenLinks(models.QuerySet["OpenLink"]):
    def by_token(self, text: str) -> OpenLinks:
        return self.filter(digest=token_digest(text))

    def with_counts(self) -> OpenLinks:
        """Each with its `answers` by people and its `machine_answers`."""
        by_machine = Q(answers__response__verdict=Response.Verdict.MACHINE)
        return self.annotate(
            machine_answers=Count("answers", filter=by_machine),
            person_answers=Count("answers", filter=~by_machine),
        )


class OpenLink(models.Model):
    """An address that many people answer at, each without saying who they are."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="open_links")
    name = models.CharField(
        max_length=80, help_text="Where it is found, such as “Counter, Main Street” or “Invoices”."
    )
    language = models.CharField(
        "fallback language",
        max_length=10,
        blank=True,
        choices=settings.LANGUAGES,
        help_text="For browsers in whose languages the survey has no words. Empty: the survey's.",
    )
    is_open = models.BooleanField(
        "open", default=True, help_text="A closed link says kindly that it leads nowhere."
    )
    daily_limit = models.PositiveIntegerField(
        "answers in 24 hours, at most",
        default=500,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
        help_text="Beyond it, people are asked to come back later.",
    )
    client_limit = models.PositiveIntegerField(
        "answers an hour from one internet address, at most",
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="Everybody in a shop or an office may share one address.",
    )
    framed_by = models.TextField(
        "pages that may embed it",
        blank=True,
        max_length=4_000,
        validators=[origins],
        help_text="One origin a line, such as https://www.example.com. Empty: none.",
    )
    seed = models.BinaryField(max_length=16, default=new_seed, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OpenLinks.as_manager()

    class Meta:
        ordering = ["survey__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "name"], name="open_link_name_once"),
            models.CheckConstraint(
                name="open_link_limits_let_somebody_in",
                condition=Q(daily_limit__gte=1, client_limit__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs) -> None:
        self.digest = token_digest(self.token)
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.framed_by = "\n".join(origins(self.framed_by))

    @property
    def token(self) -> str:
        return token(PURPOSE, bytes(self.seed))

    @property
    def origins(self) -> list[str]:
        return self.framed_by.split()

    @property
    def takes_answers(self) -> bool:
        return self.is_open and self.survey.is_open


def new_key() -> str:
    """26 lower-case base32 characters, 130 random bits, as tokens have."""
    return base64.b32encode(secrets.token_bytes(17))[:26].decode().lower()


class OpenAnswers(models.QuerySet["OpenAnswer"]):
    def by_key(self, link: OpenLink, key: str) -> OpenAnswers:
        return self.filter(digest=OpenAnswer.digest_of(link, key))

    def within(self, span: timedelta, now: datetime) -> OpenAnswers:
        return self.filter(at__gt=now - span)


class OpenAnswer(models.Model):
    """Through which link an anonymous answer came.

    Each form has a random key in its address, of which the digest is kept: one form makes one
    answer, however often it is sent, and only who was shown the form can add to it.
    """

    link = models.ForeignKey(OpenLink, on_delete=models.PROTECT, related_name="answers")
    response = models.OneToOneField(Response, on_delete=models.CASCADE, related_name="open_answer")
    at = models.DateTimeField()
    client = models.CharField(  # client_hash of the internet address, forgotten with the visits
        max_length=16, blank=True, editable=False
    )
    digest = models.BinaryField(max_length=32, unique=True, editable=False)

    objects = OpenAnswers.as_manager()

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["link", "at"], name="open_answers_lately"),  # the limits
        ]

    def __str__(self) -> str:
        return f"{self.response} by “{self.link}”"

    @staticmethod
    def digest_of(link: OpenLink, key: str) -> bytes:
        """What is kept of a form's key; it opens nothing at another link."""
        return token_digest(f"{link.pk}|{key}")
