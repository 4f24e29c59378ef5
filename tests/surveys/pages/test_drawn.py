import pytest

from surveys.pages.drawn import MARKS, draw

FACTS = {"scale": range(11), "company": "Northwind", "brand": None, "write_to": "", "comment": ""}


def page(nonce: str, **facts) -> str:
    return draw("answer", FACTS | facts, {"nonce": nonce, "decoy": "d", "privacy_url": ""})


def test_each_guest_gets_their_own():
    first, second = page("1.first"), page("2.second")
    assert 'name="nonce" value="1.first"' in first
    assert first.replace("1.first", "2.second") == second


def test_other_facts_are_another_page():
    assert " checked" not in page("n")
    assert 'value="7" required checked' in page("n", chosen=7)


def test_what_is_filled_in_is_text():
    assert '"><script>' not in page('"><script>')


def test_a_hole_that_is_not_filled_is_not_there():
    html = page("n")
    assert [name for name, mark in MARKS.items() if mark in html] == []
    assert "/p/" not in html
    assert "/p/x" in draw("answer", FACTS, {"nonce": "n", "privacy_url": "/p/x"})


def test_facts_that_may_change_are_refused():
    with pytest.raises(TypeError, match="unhashable"):
        page("n", chosen=[7])
