"""How a survey looks: whose logo and colour it bears, and where else one may write about us."""

from __future__ import annotations

from hashlib import sha256
from math import floor
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.urls import reverse

from surveys.models import colours, images
from surveys.models.colours import DARK, LIGHT, READABLE, Scheme

LOGO_BYTES = 15_000
LOGO_WIDTH, LOGO_HEIGHT = 600, 200  # pixels
KINDS = [images.PNG, images.JPEG, images.WEBP]
only_https = URLValidator(
    schemes=["https"], message="Write an address that begins with https://.", code="only_https"
)


class Colours(NamedTuple):
    """A brand's colour on a light page and on a dark one, written as `#1d4ed8`."""

    light: str
    dark: str


class Logo(models.Model):
    """A picture, kept for good under the digest of its bytes: mails that were sent lead to it."""

    digest = models.CharField(max_length=64, primary_key=True)
    content_type = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS])
    data = models.BinaryField(max_length=LOGO_BYTES)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="logo_is_png_jpeg_or_webp", condition=models.Q(content_type__in=KINDS)
            )
        ]

    def __str__(self) -> str:
        return f"{self.content_type}, {len(self.data)} bytes"

    @property
    def url(self) -> str:
        return reverse("surveys:logo", args=[self.pk])

    @classmethod
    def of(cls, data: bytes, *, size: int | None = None) -> Logo:
        """The logo of these bytes, not saved yet; `size` where `data` is but the file's beginning.

        Raises ValidationError, saying what to do.
        """
        size = size or len(data)
        if size > LOGO_BYTES:
            raise ValidationError(
                f"This file has {size:,} bytes; a logo has up to {LOGO_BYTES:,}, so that the "
                "page opens at once on a bad phone. Save it smaller or with fewer colours."
            )
        try:
            image = images.read(data)
        except images.NotAnImage as refusal:
            raise ValidationError(f"{refusal} Save the logo as PNG, JPEG or WebP.") from refusal
        if not (0 < image.width <= LOGO_WIDTH and 0 < image.height <= LOGO_HEIGHT):
            raise ValidationError(
                f"This picture has {image.width} x {image.height} pixels; a logo has up to "
                f"{LOGO_WIDTH} x {LOGO_HEIGHT}. Save it smaller."
            )
        return cls(digest=sha256(data).hexdigest(), content_type=image.content_type, data=data)


class Brand(models.Model):
    """A look that surveys share. Every colour in it can be read, in light and in dark."""

    name = models.CharField(max_length=80, unique=True)
    logo = models.ForeignKey(
        Logo, null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    colour = models.CharField(
        max_length=7,
        blank=True,
        help_text="Of buttons and links on a light page, such as #1d4ed8. Empty: our blue.",
    )
    dark_colour = models.CharField(
        "colour in dark mode",
        max_length=7,
        blank=True,
        help_text="Empty: the nearest shade of the colour that can be read on a dark page.",
    )
    review_url = models.CharField(
        "page on a review site",
        max_length=300,
        blank=True,
        validators=[only_https],
        help_text="Shown after every answer alike, whatever the score. Begins with https://.",
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        problems: dict[str, str] = {}
        for field, scheme in (("colour", LIGHT), ("dark_colour", DARK)):
            colour = getattr(self, field).lower()
            setattr(self, field, colour)
            if colour and (problem := _problem(colour, scheme)):
                problems[field] = problem
        if self.dark_colour and not self.colour:
            problems.setdefault("colour", "Choose the colour of the light page as well.")
        if urlsplit(self.review_url).hostname == urlsplit(settings.SITE_URL).hostname:
            problems["review_url"] = "Link to the review site itself, not to a page of ours."
        if problems:
            raise ValidationError(problems)

    @property
    def colours(self) -> Colours | None:
        """None: those of the house."""
        if not self.colour:
            return None
        dark = self.dark_colour or colours.nearest_readable(self.colour, DARK)
        return Colours(self.colour, dark)

    @property
    def style_url(self) -> str:
        """A style sheet of our own with the colours; empty for those of the house."""
        if not self.colours:
            return ""
        light, dark = (colour.removeprefix("#") for colour in self.colours)
        return reverse("surveys:colours", args=[light, dark])

    @property
    def logo_url(self) -> str:
        """Empty when there is none."""
        return Logo(self.logo_id).url if self.logo_id else ""

    @property
    def review_site(self) -> str:
        """The name of the site that the link leads to, as people know it."""
        return (urlsplit(self.review_url).hostname or "").removeprefix("www.")


def css_variables(chosen: Colours) -> str:
    """The style sheet that turns the house's colours into a brand's."""
    light = f"--accent:{chosen.light};--on-accent:{LIGHT.on_accent}"
    dark = f"--accent:{chosen.dark};--on-accent:{DARK.on_accent}"
    return f":root {{{light}}}\n@media (prefers-color-scheme: dark) {{:root {{{dark}}}}}\n"


def _problem(colour: str, scheme: Scheme) -> str:
    if not colours.HEX.fullmatch(colour):
        return "Write the colour as # and six digits, such as #1d4ed8."
    ratio = colours.least_contrast(colour, scheme)
    if ratio >= READABLE:
        return ""
    ratio = floor(ratio * 100) / 100  # 4.499 is not 4.5
    towards = "darker" if scheme is LIGHT else "lighter"
    return (
        f"On a {scheme.name} page, {colour} has a contrast of {ratio:.2f} to 1 with its text and "
        f"what is behind it; {READABLE} is needed to be readable. Choose a {towards} shade; the "
        f"nearest is {colours.nearest_readable(colour, scheme)}."
    )
