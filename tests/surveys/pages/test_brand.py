"""What a brand adds to a page, and what the whole weighs."""

import pytest

from surveys.models import Brand, Logo
from tests.surveys.models.pictures import jpeg, png

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction

FOR_GOOD = "public, max-age=31536000, immutable"


@pytest.fixture
def brand():
    logo = Logo.of(png())
    logo.save()
    return Brand.objects.create(name="Northwind", colour="#0f766e", logo=logo)


def test_a_logo_is_kept_by_browsers_for_good(client, brand, django_assert_num_queries):
    with django_assert_num_queries(4):  # a transaction that is read only, and the logo
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
    assert said.text.startswith(":root{--accent:#0f766e;--on-accent:#ffffff}@media")
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
