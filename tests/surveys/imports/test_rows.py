import io

import pytest

from surveys.imports.rows import (
    BROWSER,
    UNLIMITED,
    Limits,
    Problem,
    Problems,
    Row,
    Unreadable,
    read,
)


def rows(text: str | bytes, limits: Limits = UNLIMITED) -> list[Row | Problem]:
    data = text.encode() if isinstance(text, str) else text
    return list(read(io.BytesIO(data), limits))


def refusal(text: str | bytes, limits: Limits = UNLIMITED) -> str:
    with pytest.raises(Unreadable) as caught:
        rows(text, limits)
    return str(caught.value)


def test_rows_come_with_the_line_they_begin_in():
    assert rows('a,b\n1,"two\nlines"\n\n3,4\n') == [
        Row(1, ["a", "b"]),
        Row(2, ["1", "two\nlines"]),
        Row(5, ["3", "4"]),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(end):
    assert rows(f"a,b{end}1,2{end}3,4") == [
        Row(1, ["a", "b"]),
        Row(2, ["1", "2"]),
        Row(3, ["3", "4"]),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter):
    header, row = rows(f"a{delimiter}b\n1{delimiter}2\n")
    assert (header.cells, row.cells) == (["a", "b"], ["1", "2"])


def test_a_byte_order_mark_is_not_part_of_the_first_name():
    assert rows(b"\xef\xbb\xbfname\nZo\xc3\xab\n") == [Row(1, ["name"]), Row(2, ["Zoë"])]


def test_the_stream_is_read_from_its_beginning_and_stays_open():
    stream = io.BytesIO(b"a\n1\n")
    assert list(read(stream)) == list(read(stream))
    assert not stream.closed


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_named_with_the_way_out(encoding):
    said = refusal(("email,name\n" * 40).encode(encoding))
    assert "UTF-16" in said
    assert "CSV UTF-8" in said


def test_latin1_is_named_with_the_way_out():
    said = refusal("name\nZoë\n".encode("latin-1"))
    assert "Latin-1" in said
    assert "CSV UTF-8" in said


def test_a_workbook_is_not_taken_for_a_csv_file():
    assert "Excel workbook" in refusal(b"PK\x03\x04 rest of a zip")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The file is empty"),
        ("   \n1,2\n", "The file is empty"),
        ("a,A\n1,2\n", "“a” is there twice"),
        ('"a\nb",c\n1,2\n', "each on one line"),
        (",".join(f"c{n}" for n in range(51)), "51 columns; 50 is the most"),
        ("a\0,b\n", "NUL"),
        ("a\n" + "x" * 1_000_001, "longer than a million"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(text, said):
    assert said in refusal(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,2,3", "3 values for 2 columns"),
        ("1", "1 values for 2 columns"),
        ("1,\0", "NUL"),
        ("1," + "x" * 20_001, "Longer than 20,000"),
    ],
)
def test_a_bad_row_is_a_problem_in_its_place_and_reading_goes_on(line, said):
    _, good, bad, after = rows(f"a,b\n1,2\n{line}\n3,4\n")
    assert isinstance(bad, Problem)
    assert said in str(bad)
    assert (good.line, bad.line, after.line) == (2, 3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('1,"open\n2,b\n', "never closed"),
        ('1,"a"b\n2,b\n', "written twice"),
        ('1,"' + "x" * 200_000 + '"\n2,b\n', "far too long"),
    ],
)
def test_after_a_broken_quote_the_rest_is_not_guessed(text, said):
    *_, last = rows("a,b\n1,2\n" + text)
    assert isinstance(last, Problem)
    assert last.line == 3
    assert said in last.text
    assert "rest of the file was not read" in last.text


def test_empty_cells_after_the_last_column_are_harmless():
    assert rows("a,b,,\n1,2,,\n")[1] == Row(2, ["1", "2"])


def test_an_upload_has_limits_and_a_command_has_none():
    assert "larger than 10 MB" in refusal(b"a\n" + b"x\n" * (BROWSER.size // 2), BROWSER)
    assert "more than 3 rows" in refusal("a\n" + "1\n" * 4, Limits(rows=3))
    assert len(rows("a\n" + "1\n" * 3, Limits(rows=3))) == 4
    assert len(rows("a\n" + "1\n" * 4)) == 5


def test_problems_are_all_counted_and_the_first_200_kept():
    problems = Problems()
    assert not problems
    for line in range(1_000):
        problems.add(Problem(line, "e-mail", "wrong"))
    assert len(problems) == 1_000
    assert len(list(problems)) == 200
    assert str(problems.shown[7]) == "Line 7, e-mail: wrong"
