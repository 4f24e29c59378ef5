import io
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.imports import responses
from surveys.imports.answers import MONTH, Options
from surveys.imports.rows import Unreadable
from surveys.models import AuditEntry, Message, OutreachTask, Response, ResponseVersion, Survey
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

FILE = """\
score,comment,date,e-mail,segment,product
9,Great,2025-12-01,ines@lakeside.example,,App
3,"Late, again",2025-12-02T10:00:00Z,INES@lakeside.example,Other,
7,,2025-12-03,ines@lakeside.example,,
,Only words,2025-12-04,ines@lakeside.example,,
"""
TEXTS = "id,text,label\n0,First,a\n1,Second,b\n2,Second,b\n"


def stream(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


def bring_in(text: str, options: Options) -> responses.Plan:
    plan = responses.plan(stream(text), options, NOW)
    assert list(plan.errors) == []
    return responses.apply(plan, by=None, now=NOW)


def problems(text: str, options: Options) -> list[str]:
    return [str(error) for error in responses.plan(stream(text), options, NOW).errors]


def texts(survey: Survey, **more) -> Options:
    options = {"columns": {"comment": "text"}, "without_customer": True, "spread_months": 12}
    return Options(survey, **(options | more))


def test_answers_come_in_sorted_and_open_no_task(nps, customer):
    done = bring_in(FILE, Options(nps))
    assert (done.created, done.known, dict(done.filled)) == (4, 0, {})
    fields = ("score", "band", "comment", "segment", "product", "answered_at")
    assert list(Response.objects.order_by("answered_at").values_list(*fields)) == [
        (9, "promoter", "Great", "Enterprise", "App", datetime(2025, 12, 1, 12, tzinfo=UTC)),
        (3, "detractor", "Late, again", "Other", "Delivery",
         datetime(2025, 12, 2, 10, tzinfo=UTC)),
        (7, "passive", "", "Enterprise", "Delivery", datetime(2025, 12, 3, 12, tzinfo=UTC)),
        (None, "", "Only words", "Enterprise", "Delivery",
         datetime(2025, 12, 4, 12, tzinfo=UTC)),
    ]  # fmt: skip
    assert set(Response.objects.values_list("source", "customer", "survey")) == {
        ("imported", customer.pk, nps.pk)
    }
    assert OutreachTask.objects.count() == Message.objects.count() == 0
    assert ResponseVersion.objects.count() == 0


def test_a_second_import_of_the_same_file_changes_nothing(nps, customer):
    bring_in(FILE, Options(nps))
    before = list(Response.objects.order_by("pk").values())
    done = bring_in(FILE, Options(nps))
    assert (done.created, done.known) == (0, 4)
    assert list(Response.objects.order_by("pk").values()) == before
    assert AuditEntry.objects.filter(verb="import").count() == 1


def test_the_same_row_twice_in_a_file_is_two_answers_each_time(nps):
    once = "text\nfine\nfine\nfine\n"
    assert bring_in(once, texts(nps)).created == 3
    assert bring_in(once, texts(nps)).known == 3
    assert bring_in(once + "fine\n", texts(nps)).created == 1


def test_a_file_without_scores_is_kept_as_comments(nps):
    done = bring_in(TEXTS, texts(nps))
    assert done.unused == ["id", "label"]
    assert done.filled == {
        "answers without a customer (--no-customer)": 3,
        "dates spread over 12 months (--spread)": 3,
    }
    rows = Response.objects.values_list("score", "band", "comment", "customer")
    assert set(rows) == {(None, "", "First", None), (None, "", "Second", None)}


def test_dates_are_spread_evenly_up_to_now(nps):
    bring_in("text\n" + "".join(f"t{n}\n" for n in range(24)), texts(nps))
    dates = list(Response.objects.order_by("answered_at").values_list("answered_at", flat=True))
    steps = {later - earlier for earlier, later in pairwise(dates)}
    half_a_month = MONTH / 2
    assert all(abs(step - half_a_month) < timedelta(seconds=1) for step in steps)
    assert abs(dates[0] - (NOW - 11.75 * MONTH)) < timedelta(seconds=1)
    assert abs(NOW - dates[-1] - half_a_month / 2) < timedelta(seconds=1)
    in_the_file_s_order = Response.objects.order_by("answered_at").first()
    assert in_the_file_s_order.comment == "t0"


def test_a_date_fills_only_what_lacks(nps):
    text = "score,date\n9,2025-01-02\n8,\n"
    given = datetime(2025, 6, 1, 12, tzinfo=UTC)
    done = bring_in(text, Options(nps, date=given, without_customer=True))
    assert done.filled["dates set to 2025-06-01 (--date)"] == 1
    dates = Response.objects.order_by("score").values_list("answered_at", flat=True)
    assert list(dates) == [given, datetime(2025, 1, 2, 12, tzinfo=UTC)]


def test_external_ids_find_a_row_again_whatever_it_says(nps):
    options = texts(nps, columns={"comment": "text", "external_id": "id"})
    bring_in(TEXTS, options)
    assert set(Response.objects.values_list("external_id", flat=True)) == {"0", "1", "2"}
    assert bring_in(TEXTS.replace("First", "Changed"), options).known == 3
    assert Response.objects.filter(comment="Changed").count() == 0


def test_two_surveys_may_use_the_same_ids(nps):
    other = Survey.objects.create(name="Other", kind="csat")
    options = {"columns": {"comment": "text", "external_id": "id"}}
    bring_in(TEXTS, texts(nps, **options))
    assert bring_in(TEXTS, texts(other, **options)).created == 3


BAD = """\
score,comment,date,customer
11,Too much,2025-12-01,ines@lakeside.example
5.5,Half,2025-12-01,ines@lakeside.example
9,Unknown,2025-12-01,who@x.example
9,Nobody,2025-12-01,
9,Undated,,ines@lakeside.example
9,Later,2026-03-11,ines@lakeside.example
9,Fine,2025-12-01,ines@lakeside.example
9,short
"""


def test_each_problem_has_its_line_and_nothing_is_written(nps, customer):
    hint = "Import the customers first, or use --no-customer."
    assert problems(BAD, Options(nps)) == [
        "Line 2, score: 11 is not on the scale from 0 to 10.",
        "Line 3, score: “5.5” is not a whole number.",
        f"Line 4: There is no customer “who@x.example”. {hint}",
        f"Line 5: No customer is named. {hint}",
        "Line 6: No date. Fill it in with --date or --spread.",
        "Line 7, date: 2026-03-11 is in the future.",
        "Line 9: 2 values for 4 columns.",
    ]
    with pytest.raises(responses.HasErrors, match="7 errors"):
        responses.apply(responses.plan(stream(BAD), Options(nps), NOW), by=None, now=NOW)
    assert Response.objects.count() == 0


def test_unknown_customers_are_kept_without_one_when_asked_to(nps, customer):
    text = "score,date,customer\n9,2025-12-01,who@x.example\n9,2025-12-01,ines@lakeside.example\n"
    done = bring_in(text, Options(nps, without_customer=True))
    assert done.filled == {"answers without a customer (--no-customer)": 1}
    assert Response.objects.filter(customer=customer).count() == 1


def test_customers_are_found_by_their_crm_id_too(nps, customer):
    customer.external_id = "C-7"
    customer.save()
    bring_in("score,date,customer\n9,2025-12-01,C-7\n", Options(nps))
    assert Response.objects.get().customer == customer


def test_rows_that_say_nothing_are_left_out_and_long_ones_cut(nps):
    done = bring_in("id,text\n1,\n2,ok\n3," + "x" * 6_000 + "\n", texts(nps))
    assert done.created == 2
    assert done.left_out == 1
    assert done.filled["comments cut at 5,000 characters"] == 1
    assert {len(row.comment) for row in Response.objects.all()} == {2, 5_000}


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("colour\nred\n", {}, "neither a score nor a comment column"),
        ("score\n9\n", {}, "no customer column"),
        ("score\n9\n", {"without_customer": True}, "no date column"),
        ("score\n9\n", {"columns": {"comment": "text"}}, "no column “text”"),
    ],
)
def test_a_file_that_lacks_something_is_refused_with_the_way_out(nps, text, options, said):
    with pytest.raises(Unreadable, match=said):
        responses.plan(stream(text), Options(nps, **options), NOW)


def test_an_empty_or_doubled_id_is_refused(nps):
    options = texts(nps, columns={"comment": "text", "external_id": "id"})
    assert problems("id,text\n1,a\n1,b\n,c\n", options) == [
        "Line 3: The id “1” is in line 2 already.",
        "Line 4: The column “id” is empty.",
    ]


def test_what_changed_after_the_check_stops_the_import(nps, customer):
    plan = responses.plan(stream(FILE), Options(nps), NOW)
    customer.delete()
    with pytest.raises(responses.ChangedMeanwhile, match="no customer"):
        responses.apply(plan, by=None, now=NOW)
    assert Response.objects.count() == 0


def queries_for(survey: Survey, count: int) -> int:
    rows = "".join(f"row {count} {n}\n" for n in range(count))
    plan = responses.plan(stream("text\n" + rows), texts(survey), NOW)
    with CaptureQueriesContext(connection) as queries:
        responses.apply(plan, by=None, now=NOW)
    return len(queries)


def test_the_number_of_queries_does_not_grow_with_the_rows(nps):
    assert queries_for(nps, 1) == queries_for(nps, 3)


def test_batches_are_one_transaction_and_progress_is_told(nps, monkeypatch):
    monkeypatch.setattr(responses, "BATCH", 2)
    told = []
    plan = responses.plan(stream("text\na\nb\nc\nd\ne\n"), texts(nps), NOW)
    responses.apply(plan, by=None, now=NOW, tell=told.append)
    assert told == [2, 4, 5]
    assert Response.objects.count() == 5


def run(tmp_path, text: str, *arguments: str) -> list[str]:
    path = tmp_path / "feedback.csv"
    path.write_text(text, encoding="utf-8")
    out = StringIO()
    call_command("import_responses", str(path), *arguments, stdout=out, stderr=out)
    return out.getvalue().splitlines()


MOVING_IN = ("--survey", "Old tool", "--create-survey", "csat", "--map", "comment=text",
             "--spread", "12", "--no-customer")  # fmt: skip


def test_the_command_makes_a_closed_survey_and_says_what_options_filled_in(tmp_path):
    assert run(tmp_path, TEXTS, *MOVING_IN) == [
        "“Old tool”: 3 answers new, 0 there already and left as they were.",
        "  3 answers without a customer (--no-customer)",
        "  3 dates spread over 12 months (--spread)",
        "Columns not used: id, label.",
    ]
    survey = Survey.objects.get()
    assert (survey.name, survey.kind, survey.is_open) == ("Old tool", "csat", False)
    assert run(tmp_path, TEXTS + "3,,\n", *MOVING_IN) == [
        "“Old tool”: 0 answers new, 3 there already and left as they were.",
        "  1 rows left out, with neither score nor comment",
        "Columns not used: id, label.",
    ]


def test_a_dry_run_leaves_nothing_behind(tmp_path):
    assert run(tmp_path, TEXTS, *MOVING_IN, "--dry-run")[-1].startswith("Only checked")
    assert Survey.objects.count() == Response.objects.count() == 0


def test_a_failed_import_leaves_no_survey_behind(tmp_path):
    with pytest.raises(CommandError, match="Nothing was imported: 1 problems"):
        run(tmp_path, "text,score\nfine,7\n", *MOVING_IN)
    assert Survey.objects.count() == 0


@pytest.mark.parametrize("name", ["Relationship", "relationship", "PK"])
def test_a_survey_is_found_by_name_slug_and_number(tmp_path, nps, name):
    name = str(nps.pk) if name == "PK" else name
    run(tmp_path, "text\nfine\n", "--survey", name, "--spread", "1", "--no-customer")
    assert Response.objects.get().survey == nps


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--survey", "Nope"), "no survey “Nope” .*--create-survey"),
        (("--survey", "Relationship", "--date", "soon"), "--date: “soon” is not a date"),
        (("--survey", "Relationship", "--date", "2099-01-01"), "in the future"),
        (("--survey", "Relationship", "--spread", "0"), "1 to 240 months"),
        (("--survey", "Relationship", "--date", "2025-01-01", "--spread", "3"), "not allowed with"),
        (("--survey", "Relationship", "--map", "comment"), "invalid pair value"),
        (("--survey", "Relationship", "--map", "mood=text"), "“mood” is not a field"),
    ],
)
def test_a_wrong_option_is_refused_in_words(tmp_path, nps, arguments, said):
    with pytest.raises(CommandError, match=said):
        run(tmp_path, "text\nfine\n", *arguments)
