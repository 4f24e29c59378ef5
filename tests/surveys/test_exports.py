import csv
import io

import pytest

from surveys.exports import csv_file, csv_stream, field


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


def test_a_stream_holds_the_same_and_reads_its_rows_one_by_one():
    read = []

    def rows():
        for number in (1, 2):
            read.append(number)
            yield number, "=1+1"

    response = csv_stream("themes", "left right", rows())
    lines = iter(response.streaming_content)
    assert (next(lines), read) == (b'\xef\xbb\xbf"left","right"\r\n', [])
    assert (next(lines), read) == (b'"1","\'=1+1"\r\n', [1])
    whole = csv_file("themes", "left right", rows())
    assert csv_stream("themes", "left right", rows()).getvalue() == whole.content
    assert response.headers.items() == whole.headers.items()
