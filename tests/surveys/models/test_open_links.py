"""Open links: their addresses, and the origins that may frame them."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from surveys.models import OpenAnswer, OpenLink
from surveys.models.open_links import MOST_ORIGINS, new_key, origin, origins


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("https://shop.example", "https://shop.example"),
        (" https://Shop.Example/ ", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://shop.example:443", "https://shop.example"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("HTTPS://shop.example", "https://shop.example"),
    ],
)
def test_an_origin_is_written_as_browsers_do(typed, meant):
    assert origin(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "http://shop.example", "shop.example", "https://", "https://*.shop.example", "*", "'self'",
        "https://shop.example/page", "https://shop.example?x", "https://shop.example#x",
        "https://me@shop.example", "https://shop.example; script-src *", "https://a,b", "https:",
        "https://shop.example:0x1", "https://shop.example:99999", "https://shop..example",
        "https://-shop.example", "https://shop.example.", "https://[::1]", "data:", "\x00",
        "https://shop example", "https://" + "a" * 64 + ".example", "javascript://shop.example",
    ],
)  # fmt: skip
def test_nothing_else_is_an_origin(typed):
    with pytest.raises(ValidationError):
        origin(typed)


def test_origins_are_lines_each_once():
    text = "https://a.example\r\n\n https://b.example \nhttps://A.example/"
    assert origins(text) == ["https://a.example", "https://b.example"]
    many = "\n".join(f"https://{n}.example" for n in range(MOST_ORIGINS + 1))
    with pytest.raises(ValidationError, match="At most 20"):
        origins(many)


def test_a_link_is_found_by_its_token_and_by_nothing_else(nps):
    link = OpenLink.objects.create(survey=nps, name="Counter")
    other = OpenLink.objects.create(survey=nps, name="Invoices")
    assert len(link.token) == 26
    assert OpenLink.objects.by_token(link.token).get() == link
    assert OpenLink.objects.by_token(link.token.upper()).get() == link
    assert OpenLink.objects.by_token(other.token).get() == other
    assert not OpenLink.objects.by_token(link.token[:-1]).exists()
    assert link.token.encode() not in bytes(link.seed) + bytes(link.digest)


def test_cleaning_writes_origins_as_browsers_do(nps):
    link = OpenLink(survey=nps, name="Counter", framed_by="https://Shop.example/\n")
    link.full_clean()
    assert link.origins == ["https://shop.example"]


def test_a_name_is_used_once_in_a_survey_and_limits_let_somebody_in(nps):
    OpenLink.objects.create(survey=nps, name="Counter")
    for fields in ({"name": "Counter"}, {"name": "B", "daily_limit": 0},
                   {"name": "C", "client_limit": 0}):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            OpenLink.objects.create(survey=nps, **fields)


def test_a_link_takes_answers_while_it_and_its_survey_are_open(nps):
    link = OpenLink(survey=nps, name="Counter")
    assert link.takes_answers
    link.is_open = False
    assert not link.takes_answers
    link.is_open, nps.is_open = True, False
    assert not link.takes_answers


def test_keys_are_random_and_look_like_tokens():
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(key) for key in keys} == {26}
    assert set("".join(keys)) <= set("abcdefghijklmnopqrstuvwxyz234567")


def test_a_key_opens_nothing_at_another_link(nps):
    one, other = (OpenLink.objects.create(survey=nps, name=name) for name in ("A", "B"))
    assert OpenAnswer.digest_of(one, "k" * 26) != OpenAnswer.digest_of(other, "k" * 26)
