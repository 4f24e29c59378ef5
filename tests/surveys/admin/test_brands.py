"""A brand in the admin: what is taken, what is refused, and how it is told."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from surveys.models import AuditEntry, Brand, Logo
from tests.surveys.models.pictures import png

ADD = reverse("admin:surveys_brand_add")


def change(brand: Brand) -> str:
    return reverse("admin:surveys_brand_change", args=[brand.pk])


def upload(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


@pytest.fixture
def brand(db):
    logo = Logo.of(png())
    logo.save()
    return Brand.objects.create(name="Northwind", colour="#0f766e", logo=logo)


def test_a_brand_is_made_with_its_logo(signed_in, manager):
    form = {"name": "Northwind", "colour": "#0F766E", "logo_file": upload(png()),
            "review_url": "https://reviews.example/northwind"}  # fmt: skip
    signed_in(manager).post(ADD, form)
    brand = Brand.objects.get()
    assert (brand.colour, brand.review_site) == ("#0f766e", "reviews.example")
    assert bytes(brand.logo.data) == png()
    assert AuditEntry.objects.get(noun="brand").after["logo_file"] == brand.logo_id


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("colour", "#ffd400", "Choose a darker shade; the nearest is #836d00."),
        ("dark_colour", "#000099", "Choose a lighter shade; the nearest is "),
        ("review_url", "http://reviews.example", "Write an address that begins with https://."),
        ("logo_file", upload(b"<svg/>", "logo.svg"), "Save the logo as PNG, JPEG or WebP."),
        ("logo_file", upload(b"<svg/>", "logo.png"), "Save the logo as PNG, JPEG or WebP."),
        ("logo_file", upload(png() + b"\0" * 20_000), "a logo has up to 15,000"),
        ("logo_file", upload(png(601, 9)), "This picture has 601 x 9 pixels"),
    ],
)
def test_what_is_refused_is_told_beside_its_field(signed_in, manager, field, value, said):
    form = {"name": "Northwind", "colour": "#0f766e", field: value}
    page = signed_in(manager).post(ADD, form)
    assert said in page.context["adminform"].form.errors[field][0]
    assert not Brand.objects.exists()
    assert not Logo.objects.exists()


def test_the_logo_stays_until_it_is_removed_and_its_address_works_even_then(
    signed_in, manager, brand, client
):
    url, form = brand.logo_url, {"name": "Northwind", "colour": "#0f766e"}
    staff = signed_in(manager)
    staff.post(change(brand), form)
    assert Brand.objects.get().logo_url == url
    staff.post(change(brand), form | {"logo_file-clear": "on"})
    assert Brand.objects.get().logo_url == ""
    assert Logo.objects.get().url == url  # mails that were sent lead to it


def test_the_list_shows_how_brands_look(signed_in, manager, brand, nps):
    nps.brand = brand
    nps.save()
    Brand.objects.create(name="Plain")
    page = signed_in(manager).get(reverse("admin:surveys_brand_changelist")).text
    assert f'src="{brand.logo_url}" alt="Northwind"' in page
    assert "#13988d" in page
    assert "Our blue" in page


def test_a_brand_in_use_is_not_deleted(signed_in, manager, brand, nps):
    nps.brand = brand
    nps.save()
    delete = reverse("admin:surveys_brand_delete", args=[brand.pk])
    signed_in(manager).post(delete, {"post": "yes"})
    assert Brand.objects.exists()


def test_it_is_shown_in_light_and_in_dark(signed_in, manager, brand, nps):
    nps.brand = brand
    nps.save()
    page = signed_in(manager).get(change(brand))
    light, dark = page.context["looks"].values()
    assert "@media not all {:root {--accent:#13988d" in light
    assert "@media all {:root {--accent:#13988d" in dark
    assert "color-scheme: dark;" in dark
    assert f'src="{brand.logo_url}"' in light
    assert reverse("admin:surveys_survey_mails", args=[nps.pk]) in page.text
