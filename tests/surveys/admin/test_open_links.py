"""Pages about open links: address, QR code, poster, snippet, and what came in."""

import re
import struct

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from surveys.admin import qr_codes
from surveys.models import AuditEntry, OpenAnswer, OpenLink, Response
from tests.conftest import survey_of

LIST = reverse("admin:surveys_openlink_changelist")
ADD = reverse("admin:surveys_openlink_add")


@pytest.fixture
def link(nps):
    return OpenLink.objects.create(survey=nps, name="Counter, Main Street")


def page_of(link, page="change", *more) -> str:
    return reverse(f"admin:surveys_openlink_{page}", args=[link.pk, *more])


def came_in(link, now, number, verdict="person") -> Response:
    response = Response.objects.create(
        survey=link.survey, kind="nps", source="anonymous", score=2, band="detractor",
        verdict=verdict, answered_at=now, comment="Nobody at the counter",
    )  # fmt: skip
    digest = number.to_bytes(32, "big")
    OpenAnswer.objects.create(link=link, response=response, at=now, digest=digest)
    return response


def form(nps, **fields) -> dict:
    return {
        "survey": nps.pk, "name": "Invoices", "language": "", "is_open": "on",
        "daily_limit": "500", "client_limit": "20", "framed_by": "", **fields,
    }  # fmt: skip


def test_an_empty_list_says_what_to_do(signed_in, manager, auditor):
    said = signed_in(manager).get(LIST).content.decode()
    assert "There is no open link yet." in said
    assert ADD in said
    assert ADD not in signed_in(auditor).get(LIST).content.decode()


def test_a_link_is_made_and_shown_with_its_code(signed_in, manager, nps):
    page = signed_in(manager).post(ADD, form(nps), follow=True)
    link = OpenLink.objects.get()
    said = page.content.decode()
    assert page.redirect_chain[-1][0] == page_of(link)
    assert f"http://testserver/o/{link.token}" in said
    assert page_of(link, "qr", "svg") in said
    assert "No answer yet" in said
    entry = AuditEntry.objects.get(noun="openlink")
    assert (entry.verb, entry.actor, entry.noun_id) == ("add", manager, link.pk)
    assert link.token not in str(entry.after)


def test_what_came_in_is_counted_with_the_share_of_machines(signed_in, manager, link, now):
    for number, verdict in enumerate(["person"] * 3 + ["machine"]):
        came_in(link, now, number, verdict)
    client = signed_in(manager)
    [row] = client.get(LIST).context["cl"].result_list
    assert (row.person_answers, row.machine_answers) == (3, 1)
    assert "1 of 4 (25 %)" in client.get(LIST).content.decode()
    assert "1 of 4 (25 %)" in client.get(page_of(link)).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_queries_for_many(
    signed_in, manager, nps, now, rows, django_assert_num_queries
):
    for number in range(rows):
        came_in(OpenLink.objects.create(survey=nps, name=f"Link {number}"), now, number)
    client = signed_in(manager)
    client.get(LIST)
    with django_assert_num_queries(QUERIES):
        client.get(LIST)


QUERIES = 6


def test_a_link_that_was_used_keeps_its_survey_and_stays(signed_in, manager, link, nps, now):
    client = signed_in(manager)
    unused = OpenLink.objects.create(survey=nps, name="Unused")
    other = survey_of("csat", name="Other")
    came_in(link, now, 1)
    client.post(page_of(link), form(nps, survey=other.pk, name="Renamed"))
    link.refresh_from_db()
    assert (link.survey, link.name) == (nps, "Renamed")
    for one, stays in ((link, True), (unused, False)):
        client.post(page_of(one, "delete"), {"post": "yes"})
        assert OpenLink.objects.filter(pk=one.pk).exists() == stays


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"framed_by": "http://shop.example"}, "is no origin"),
        ({"framed_by": "https://shop.example/page"}, "is no origin"),
        ({"daily_limit": "0"}, "greater than or equal to 1"),
        ({"name": ""}, "required"),
    ],
)
def test_what_does_not_fit_is_refused(signed_in, manager, nps, fields, said):
    page = signed_in(manager).post(ADD, form(nps, **fields))
    assert said in page.content.decode()
    assert not OpenLink.objects.exists()


def test_the_snippet_names_the_question_and_who_may_embed_it(signed_in, manager, link):
    client = signed_in(manager)
    assert "No page may embed it." in client.get(page_of(link)).content.decode()
    wording = link.survey.wordings.get()
    wording.question = 'How likely are you to recommend "<us>"?'
    wording.save()
    link.framed_by = "https://shop.example"
    link.save()
    said = client.get(page_of(link)).content.decode()
    assert "Only pages of https://shop.example can show it" in said
    [shown] = re.findall(r'<code class="voc-key">(&lt;iframe.*?)</code>', said)
    assert f"&lt;iframe src=&quot;http://testserver/o/{link.token}&quot;" in shown.replace(
        '"', "&quot;"
    )
    assert "&amp;quot;&amp;lt;us&amp;gt;&amp;quot;" in shown


def test_the_code_leads_to_the_page(link):
    address = f"https://voc.example/o/{link.token}"
    picture = qr_codes.png(address)
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert width == height >= 700
    assert picture != qr_codes.png(address + "x")
    assert qr_codes.svg(address).startswith(b"<?xml")


@pytest.mark.parametrize(("kind", "content_type"), [("svg", "image/svg+xml"), ("png", "image/png")])
def test_the_code_is_shown_and_downloaded(signed_in, manager, link, kind, content_type):
    client = signed_in(manager)
    shown = client.get(page_of(link, "qr", kind))
    assert (shown.status_code, shown["Content-Type"]) == (200, content_type)
    assert "Content-Disposition" not in shown
    draw = {"svg": qr_codes.svg, "png": qr_codes.png}[kind]
    assert shown.content == draw(f"http://testserver/o/{link.token}")
    kept = client.get(page_of(link, "qr", kind) + "?download")
    expected = f'attachment; filename="relationship-counter-main-street.{kind}"'
    assert kept["Content-Disposition"] == expected
    assert client.get(page_of(link, "qr", "exe")).status_code == 404


def test_the_poster_is_a_page_of_its_own(signed_in, manager, link):
    said = signed_in(manager).get(page_of(link, "poster")).content.decode()
    assert "How likely are you to recommend Northwind Parcels?" in said
    assert f"http://testserver/o/{link.token}" in said
    assert finders.find("surveys/poster.css")
    assert "<script" not in said


def test_without_words_it_says_so(signed_in, manager, link):
    link.survey.wordings.all().delete()
    client = signed_in(manager)
    assert "has no words yet" in client.get(page_of(link)).content.decode()
    assert "Relationship" in client.get(page_of(link, "poster")).content.decode()


@pytest.mark.parametrize("who", ["alice", "lead", "product"])
def test_those_who_do_not_plan_see_none_of_it(signed_in, request, link, who):
    client = signed_in(request.getfixturevalue(who))
    for address in (LIST, ADD, page_of(link), page_of(link, "qr", "svg"), page_of(link, "poster")):
        assert client.get(address).status_code == 403


def test_an_auditor_looks_and_changes_nothing(signed_in, auditor, link, nps):
    client = signed_in(auditor)
    assert client.get(page_of(link)).status_code == 200
    assert client.get(page_of(link, "qr", "png")).status_code == 200
    assert client.get(ADD).status_code == 403
    assert client.post(page_of(link), form(nps, name="Mine")).status_code == 403


def test_a_closed_link_says_so(signed_in, manager, link):
    link.is_open = False
    link.save()
    client = signed_in(manager)
    assert "This link is closed" in client.get(page_of(link)).content.decode()
    assert "Closed" in client.get(LIST).content.decode()


def test_answers_are_listed_by_their_link(signed_in, manager, link, nps, now):
    answers = reverse("admin:surveys_response_changelist")
    mine = came_in(link, now, 1)
    came_in(OpenLink.objects.create(survey=nps, name="Other"), now, 2)
    client = signed_in(manager)
    assert f"{answers}?open_answer_link={link.pk}" in client.get(page_of(link)).content.decode()
    rows = client.get(answers, {"open_answer_link": link.pk}).context["cl"].result_list
    assert list(rows) == [mine]
    assert "<b>Anonymous link</b><small>Counter, Main Street</small>" in client.get(answers).text
    page = client.get(reverse("admin:surveys_response_change", args=[mine.pk]))
    assert "Nobody at the counter" in page.text
    rows = client.get(answers, {"source": "invited"}).context["cl"].result_list
    assert list(rows) == []
