from datetime import timedelta

import pytest

from surveys.pages import nonces

TOKEN, OTHER = "a" * 26, "b" * 26


@pytest.mark.parametrize("form", [nonces.FORM, nonces.AGAIN, nonces.DECOY])
def test_a_nonce_tells_its_form_and_when_it_was_shown(form, now):
    nonce = nonces.read(nonces.issue(TOKEN, form, now), TOKEN.upper())
    assert (nonce.form, nonce.seen_at) == (form, now)


def test_nothing_in_it_tells_the_forms_apart(now):
    first, second = (nonces.issue(TOKEN, form, now) for form in (nonces.FORM, nonces.DECOY))
    assert first != second
    assert [len(part) for part in first.split(".")] == [len(part) for part in second.split(".")]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: text[:-1],
        lambda text: text.replace(".", ":"),
        lambda text: "1" + text,
        lambda text: "9" * 9_999 + "." + text,
        lambda text: "٥" + text,
        lambda text: text + "\0",
    ],
)
def test_anything_else_is_not_ours(spoil, now):
    with pytest.raises(nonces.NotOurs):
        nonces.read(spoil(nonces.issue(TOKEN, now=now)), TOKEN)


def test_neither_is_that_of_another_link_or_form(now):
    text = nonces.issue(TOKEN, nonces.DECOY, now)
    with pytest.raises(nonces.NotOurs):
        nonces.read(text, OTHER)
    with pytest.raises(nonces.NotOurs):
        nonces.read(text, TOKEN, [nonces.FORM, nonces.AGAIN])


@pytest.mark.parametrize(
    ("form", "milliseconds", "is_hasty"),
    [
        (nonces.FORM, 999, True),
        (nonces.FORM, 1_000, False),
        (nonces.AGAIN, 1_999, True),
        (nonces.AGAIN, 2_000, False),
    ],
)
def test_each_form_wants_to_be_read(form, milliseconds, is_hasty, now):
    nonce = nonces.read(nonces.issue(TOKEN, form, now), TOKEN)
    assert nonce.is_hasty(now + timedelta(milliseconds=milliseconds)) is is_hasty


def test_it_is_good_for_a_day(now):
    nonce = nonces.read(nonces.issue(TOKEN, now=now), TOKEN)
    a_day = now + timedelta(hours=24)
    assert not nonce.is_outdated(a_day)
    assert nonce.is_outdated(a_day + timedelta(milliseconds=1))
