from hashlib import sha256

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from surveys.models import Brand, Logo
from surveys.models.brand import Colours, css_variables
from tests.surveys.models.pictures import png


def refusal(**fields) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        Brand(name="Ours", **fields).full_clean(validate_unique=False)
    return refused.value.message_dict


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"colour": "#FFD400"},
            "On a light page, #ffd400 has a contrast of 1.30 to 1 with its text and what is behind "
            "it; 4.5 is needed to be readable. Choose a darker shade; the nearest is #836d00.",
        ),
        (
            {"colour": "#1d4ed8", "dark_colour": "#1d4ed8"},
            "On a dark page, #1d4ed8 has a contrast of 2.39 to 1 with its text and what is behind "
            "it; 4.5 is needed to be readable. Choose a lighter shade; the nearest is #5f84ea.",
        ),
        ({"colour": "red"}, "Write the colour as # and six digits, such as #1d4ed8."),
        ({"colour": "#1d4ed"}, "Write the colour as # and six digits, such as #1d4ed8."),
        ({"dark_colour": "#9db8ff"}, "Choose the colour of the light page as well."),
        ({"review_url": "http://reviews.example"}, "Write an address that begins with https://."),
        ({"review_url": "javascript:alert(1)"}, "Write an address that begins with https://."),
    ],
)
def test_what_cannot_be_read_or_trusted_is_refused_and_told_why(fields, said):
    assert said in [text for texts in refusal(**fields).values() for text in texts]


def test_a_link_through_our_own_pages_is_refused(settings):
    settings.SITE_URL = "https://surveys.northwind.example"
    said = refusal(review_url="https://surveys.northwind.example/out?to=reviews")
    assert said["review_url"] == ["Link to the review site itself, not to a page of ours."]


def test_a_brand_without_a_colour_is_one_of_the_house():
    brand = Brand(name="Plain")
    brand.full_clean(validate_unique=False)
    assert (brand.colours, brand.style_url, brand.logo_url) == (None, "", "")


def test_a_dark_page_gets_the_nearest_readable_shade_or_the_chosen_one():
    derived = Brand(name="Ours", colour="#0F766E")
    chosen = Brand(name="Ours", colour="#0f766e", dark_colour="#5eead4")
    for brand in (derived, chosen):
        brand.full_clean(validate_unique=False)
    assert derived.colours == Colours("#0f766e", "#13988d")
    assert chosen.colours == Colours("#0f766e", "#5eead4")
    assert chosen.style_url == "/brand/0f766e-5eead4.css"


def test_the_style_sheet_of_a_brand():
    assert css_variables(Colours("#0f766e", "#5eead4")) == (
        ":root {--accent:#0f766e;--on-accent:#ffffff}\n"
        "@media (prefers-color-scheme: dark) {:root {--accent:#5eead4;--on-accent:#12161b}}\n"
    )


def test_a_review_site_is_named_as_people_know_it():
    brand = Brand(name="Ours", review_url="https://www.reviews.example/northwind?lang=en")
    brand.full_clean(validate_unique=False)
    assert brand.review_site == "reviews.example"


@pytest.mark.django_db
def test_a_logo_is_kept_once_under_its_digest():
    data = png()
    for _ in range(2):
        Logo.of(data).save()
    [logo] = Logo.objects.all()
    assert (logo.pk, logo.content_type) == (sha256(data).hexdigest(), "image/png")
    assert bytes(logo.data) == data
    assert Brand(name="Ours", logo=logo).logo_url == f"/brand/{logo.pk}"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Save the logo as PNG, JPEG or WebP."),
        (png(601, 200), "This picture has 601 x 200 pixels; a logo has up to 600 x 200."),
        (png(600, 201), "This picture has 600 x 201 pixels"),
        (png(0, 9), "This picture has 0 x 9 pixels"),
        (png() + b"\0" * 15_000, "a logo has up to 15,000, so that the page opens at once"),
    ],
)
def test_other_files_are_refused_as_logos(data, said):
    with pytest.raises(ValidationError) as refused:
        Logo.of(data)
    assert said in refused.value.messages[0]


@pytest.mark.django_db
def test_the_database_holds_no_other_kind_of_picture():
    with pytest.raises(IntegrityError, match="logo_is_png_jpeg_or_webp"):
        Logo.objects.create(digest="0" * 64, content_type="image/svg", data=b"<svg/>")
