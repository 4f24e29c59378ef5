import pytest

from analysis.text.clauses import clauses


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("The parcel came late", []),
        (
            "The parcel came late. Your invoice was wrong!",
            ["The parcel came late", "Your invoice was wrong"],
        ),
        (
            "Great staff at the desk, but the waiting took an hour",
            ["Great staff at the desk", "but the waiting took an hour"],
        ),
        (
            "Die Lieferung war gut aber die Rechnung war falsch",
            ["Die Lieferung war gut", "aber die Rechnung war falsch"],
        ),
        ("The price is 3.50 for each part", []),
        ("The parcel came late. Very. Your invoice was wrong", None),
    ],
)
def test_a_comment_is_cut_where_its_writer_goes_on(text, parts):
    found = clauses(text)
    joined = ["The parcel came late Very", "Your invoice was wrong"]
    assert found == (joined if parts is None else parts)


def test_no_more_than_eight_parts():
    assert len(clauses("The parcel came late. " * 100)) == 8
