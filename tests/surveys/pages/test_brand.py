"""What a brand adds to a page, and what the whole weighs."""

import gzip
import re
from pathlib import Path

import pytest
from django.utils import timezone

import surveys
from surveys.admin.default_words import default_wording
from surveys.loop import answer, ask
from surveys.models import Brand, Logo
from surveys.models.brand import LOGO_BYTES
from tests.surveys.models.pictures import jpeg, png

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction

FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def brand():
    logo = Logo.of(png())
    logo.save()
    return Brand.objects.create(name="Northwind", colour="#0f766e", logo=logo)


def test_a_logo_is_kept_by_browsers_for_good(client, brand, django_assert_num_queries):
    with django_assert_num_queries(3):  # a transaction that is read only, and the logo
        said = client.get(brand.logo_url)
    assert (said.status_code, said.content) == (200, png())
    assert said["Content-Type"] == "image/png"
    assert said["Cache-Control"] == FOR_GOOD
    assert said["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in said["Content-Security-Policy"]
    assert not said.cookies


def test_it_says_what_it_is_by_its_bytes(client):
    logo = Logo.of(jpeg(60, 20))
    logo.save()
    assert client.get(logo.url)["Content-Type"] == "image/jpeg"


def test_an_unknown_logo_is_not_kept(client):
    said = client.get(f"/brand/{'0' * 64}")
    assert (said.status_code, said["Cache-Control"]) == (404, "no-store")


def test_the_colours_of_a_brand_are_a_style_sheet_of_our_own(client, brand):
    said = client.get(brand.style_url)
    assert said.text.startswith(":root {--accent:#0f766e;--on-accent:#ffffff}\n@media")
    assert said["Content-Type"] == "text/css; charset=utf-8"
    assert said["Cache-Control"] == FOR_GOOD


@pytest.mark.parametrize("address", ["0f766e-13988d", "0f766e.css", "0f766e-13988x.css",
                                     "0f766e-13988d;}.css", "a" * 63])  # fmt: skip
def test_nothing_else_can_be_put_into_it(client, address):
    assert client.get(f"/brand/{address}").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_they_are_only_looked_at(client, brand, method):
    for address in (brand.logo_url, brand.style_url):
        assert getattr(client, method)(address).status_code == 405


LIMIT = 30_000  # bytes


def test_a_page_with_all_that_it_fetches_stays_light(client, brand, nps, customer):
    nps.brand = brand
    nps.save()
    heaviest = Logo(digest="f" * 64, content_type="image/png", data=b"x" * LOGO_BYTES)
    heaviest.save()
    Brand.objects.update(logo=heaviest)
    nps.wordings.all().delete()
    default_wording(nps, "ar").save()
    [invitation] = ask.invite(nps, [customer], "test:1", timezone.now())
    answer.press(invitation, 3, timezone.now(), confirmed=True)
    page = client.get(f"/a/{invitation.token()}").text
    fetched = re.findall(r'<(?:link|img|script|iframe)[^>]+(?:href|src)="([^"]+)"', page)
    assert len(fetched) == 4  # an icon, two style sheets, a logo
    assert all(address.startswith("/") for address in fetched)
    weights = [len(page.encode())] + [weight(client, address) for address in fetched]
    assert sum(weights) < LIMIT, weights


def weight(client, address: str) -> int:
    """Bytes as they are sent: style sheets and icons compressed, pictures as they are."""
    if address.startswith("/static/"):
        file = Path(surveys.__file__).parent / address.removeprefix("/")
        return len(gzip.compress(file.read_bytes()))
    return len(client.get(address).content)
