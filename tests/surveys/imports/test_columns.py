import pytest

from surveys.imports.columns import CUSTOMER_COLUMNS, RESPONSE_COLUMNS, find, unused
from surveys.imports.rows import Unreadable


def test_usual_spellings_are_known():
    header = ["E-Mail ", "Full_Name", "Company", "Owner E-Mail", "ARR", "TimeZone", "Key contact"]
    assert find(header, CUSTOMER_COLUMNS) == {
        "email": 0, "name": 1, "account": 2, "owner": 3, "revenue": 4, "time_zone": 5,
        "is_key_contact": 6,
    }  # fmt: skip


def test_a_field_s_own_name_is_a_spelling_too():
    assert find(["external_id", "renews_on"], CUSTOMER_COLUMNS) == {
        "external_id": 0,
        "renews_on": 1,
    }


def test_a_mapping_wins_over_the_usual_names():
    header = ["text", "remark", "score"]
    assert find(header, RESPONSE_COLUMNS, {"comment": "Remark"}) == {"comment": 1, "score": 2}


def test_a_mapped_column_is_not_used_twice():
    assert find(["score"], RESPONSE_COLUMNS, {"product": "score"}) == {"product": 0}


def test_unused_columns_are_named():
    header = ["email", "fax", "mail", ""]
    assert unused(header, find(header, CUSTOMER_COLUMNS)) == ["fax", "mail"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"remark": "text"}, "“remark” is not a field"), ({"comment": "txt"}, "no column “txt”")],
)
def test_a_wrong_mapping_is_refused_with_the_choices(asked, said):
    with pytest.raises(Unreadable, match=said):
        find(["text", "score"], RESPONSE_COLUMNS, asked)
