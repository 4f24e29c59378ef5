"""What a customer answered, every version of it, and the band it was sorted into."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.invitations import Invitation
from surveys.models.people import Customer
from surveys.models.staff import User
from surveys.models.surveys import BANDS, Band, Kind, Survey
from surveys.models.visibility import owned

COMMENT_LENGTH = 5_000
CONTACT_TIME_LENGTH = 120


class Sign(models.TextChoices):
    """What gives a machine away when it presses a button."""

    TOO_FAST = "too_fast", "Pressed within a second of seeing the page"
    HIDDEN_FIELD = "hidden_field", "Filled in a field that nobody can see"
    DECOY = "decoy", "Sent a form that nobody can see"
    HIDDEN_LINK = "hidden_link", "Followed a link of the mail that nobody can see"
    SCRIPTED = "scripted", "The button was pressed by a script, not by hand"
    CAUGHT_BEFORE = "caught_before", "Was in one of the traps minutes before"
    TWO_SCORES = "two_scores", "Sent two scores before it could have read the page"
    MANY_SCORES = "many_scores", "Sent three or more scores within two minutes"
    WALKER = "walker", "Went through the links of several customers within seconds"


def signs_field() -> ArrayField:
    return ArrayField(models.CharField(max_length=13, choices=Sign.choices), default=list)


class ContactChannel(models.TextChoices):
    """How a customer would like to be contacted."""

    PHONE = "phone", _("By phone")
    EMAIL = "email", _("By e-mail")
    MESSAGE = "message", _("By text message")


def band_follows_from_score() -> Q:
    """The rule of sorting as a constraint: no row can hold a score outside its scale or band."""
    rule = Q(score__isnull=True, band="")
    for kind, bands in BANDS.items():
        for band, (low, high) in bands.items():
            rule |= Q(kind=kind, band=band, score__gte=low, score__lte=high)
    return rule


class Responses(models.QuerySet["Response"]):
    def visible_to(self, user: User) -> Responses:
        return self.filter(owned(user, "customer__account__owner"))

    def counted(self) -> Responses:
        """Those that enter figures: given by a person, as far as we know."""
        return self.filter(verdict=Response.Verdict.PERSON)


class Response(models.Model):
    class Source(models.TextChoices):
        INVITED = "invited", "Invited"
        ANONYMOUS = "anonymous", "Anonymous link"
        IMPORTED = "imported", "Imported"

    class Verdict(models.TextChoices):
        PERSON = "person", "A person"
        MACHINE = "machine", "A machine"

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="responses")
    kind = models.CharField(max_length=4, choices=Kind.choices)  # the survey's; kept true by a key
    invitation = models.OneToOneField(
        Invitation, null=True, blank=True, on_delete=models.PROTECT, related_name="response"
    )
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.SET_NULL, related_name="responses"
    )
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.INVITED)
    external_id = models.CharField(max_length=100, null=True, blank=True)  # of an imported row
    score = models.SmallIntegerField(null=True, blank=True)
    band = models.CharField(max_length=10, choices=Band.choices, blank=True)
    comment = models.TextField(blank=True, max_length=COMMENT_LENGTH)
    language = models.CharField(max_length=10, blank=True)
    product = models.CharField("product or touchpoint", max_length=80, blank=True)
    segment = models.CharField(max_length=60, blank=True)  # as it was on the day of the answer
    verdict = models.CharField(
        "given by", max_length=7, choices=Verdict.choices, default=Verdict.PERSON
    )
    signs = signs_field()  # why we think it was a machine
    wants_contact = models.BooleanField("wants to be contacted", default=False)
    contact_channel = models.CharField(max_length=7, choices=ContactChannel.choices, blank=True)
    contact_time = models.CharField(max_length=CONTACT_TIME_LENGTH, blank=True)  # in their words
    answered_at = models.DateTimeField()  # the first press of a person's, or a machine's
    finished_at = models.DateTimeField(null=True)  # the pages after the score were sent, too

    objects = Responses.as_manager()

    class Meta:
        ordering = ["-answered_at"]
        constraints = [
            models.CheckConstraint(
                name="band_follows_from_score", condition=band_follows_from_score()
            ),
            models.CheckConstraint(
                name="invited_answer_has_its_invitation",
                condition=~Q(source="invited") | Q(invitation__isnull=False),
            ),
            models.CheckConstraint(
                name="response_verdict_is_known", condition=Q(verdict__in=["person", "machine"])
            ),
            models.CheckConstraint(
                name="contact_channel_is_known",
                condition=Q(contact_channel__in=["", *ContactChannel.values]),
            ),
            models.UniqueConstraint(
                fields=["survey", "external_id"], name="imported_row_once_per_survey"
            ),
        ]
        indexes = [
            models.Index(  # scores of a month
                fields=["survey", "answered_at"],
                name="responses_counted",
                condition=Q(verdict="person"),
            ),
            models.Index(fields=["customer", "-answered_at"], name="responses_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.score if self.score is not None else 'No score'} on {self.survey}"

    @property
    def contact_wish(self) -> str:
        """How and when the customer would like to be contacted; empty: not at all."""
        return _wish(self) if self.wants_contact else ""


def _wish(said: Response | ResponseVersion) -> str:
    how = said.get_contact_channel_display()
    return f"{how}: “{said.contact_time}”" if said.contact_time else how


class ResponseVersion(models.Model):
    """What one press of a button said, by whomever it was; the first one is the answer, later ones
    correct it or add to it. Never changed."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    score = models.SmallIntegerField(null=True)
    comment = models.TextField(blank=True)
    contact_channel = models.CharField(max_length=7, choices=ContactChannel.choices, blank=True)
    contact_time = models.CharField(max_length=CONTACT_TIME_LENGTH, blank=True)
    reasons = ArrayField(models.CharField(max_length=40), default=list)  # keys, in their order
    verdict = models.CharField(
        "pressed by",
        max_length=7,
        choices=Response.Verdict.choices,
        default=Response.Verdict.PERSON,
    )
    signs = signs_field()
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["response", "number"], name="version_number_once"),
            models.CheckConstraint(name="versions_start_at_one", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"Version {self.number}: {self.score}"

    @property
    def contact_wish(self) -> str:
        """How and when the customer wished to be contacted then; empty: not at all."""
        return _wish(self) if self.contact_channel else ""


class ResponseReason(models.Model):
    """A reason that the customer chose; its key is the same in every language of the wording."""

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="reasons")
    key = models.CharField(max_length=40)

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["response", "key"], name="reason_once_per_response")
        ]

    def __str__(self) -> str:
        return self.key
