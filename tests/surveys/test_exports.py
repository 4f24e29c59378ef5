import csv
import io

import pytest

from surveys.exports import csv_file, field


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(start):
    assert field(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", ["", "plain", "5 = 5", "'quoted", -3, 0, None])
def test_everything_else_stays_as_it_is(value):
    assert field(value) == value


def test_numbers_stay_numbers_of_a_readable_length():
    assert field(-0.123456) == -0.1235


def test_a_file_is_quoted_throughout_and_read_back_alike():
    rows = [["a,b", 'say "hi"'], ["two\nlines", None], ["=1", -2]]
    response = csv_file("themes", "left right", rows)
    text = response.content.decode()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="themes.csv"'
    assert text.startswith('\ufeff"left","right"\r\n"a,b",')
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert read[1:] == [["a,b", 'say "hi"'], ["two\nlines", ""], ["'=1", "-2"]]
