"""Bodies, queries and headers that were made to hurt: each is refused with a 4xx that says why, at
once, and nothing is stored. Whatever would be a 500 raises in these tests, and fails them."""

import json

import pytest

from surveys.api.strict_json import DEEPEST, LARGEST_BODY
from surveys.models import Account, AuditEntry, Contact, Customer
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db

ACCOUNTS, CUSTOMERS, TASKS = "/api/v1/accounts/", "/api/v1/customers/", "/api/v1/tasks/"


def nested(levels: int) -> bytes:
    """An object whose `name` makes it `levels` deep in all."""
    return b'{"name": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def named(json_text: str) -> bytes:
    return ('{"email": "a@b.example", "name": ' + json_text + "}").encode()


BODIES = {
    "NUL in a text": named(r'"a\u0000b"'),
    "NUL in a name": rb'{"na\u0000me": 1}',
    "NUL deep in a list": named(r'["a", {"b": "\u0000"}]'),
    "half a surrogate pair": named(r'"\ud800"'),
    "half a surrogate pair in a name": rb'{"\udfff": 1}',
    "the pair reversed": named(r'"\udc00\ud800"'),
    "raw control character": named('"a\nb"'),
    "100,000 levels": nested(100_000),
    "100,000 levels of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "900 levels": nested(900),
    "one level too many": nested(DEEPEST + 1),
    "NaN": named("NaN"),
    "Infinity": named("Infinity"),
    "-Infinity": named("-Infinity"),
    "1e400": named("1e400"),
    "5,000 digits": named("9" * 5_000),
    "the same name twice": b'{"email": "a@b.example", "email": "c@d.example"}',
    "the same name twice, deep": b'{"account": {"id": 1, "id": 2}}',
    "the same name twice, escaped": rb'{"email": "a@b.example", "\u0065mail": "c@d.example"}',
    "invalid UTF-8": b'{"email": "a@b.example", "name": "\xff"}',
    "UTF-16": '{"email": "a@b.example"}'.encode("utf-16"),
    "UTF-32": '{"email": "a@b.example"}'.encode("utf-32"),
    "BOM": b'\xef\xbb\xbf{"email": "a@b.example"}',
    "overlong UTF-8": b'{"email": "a@b.example", "name": "\xc0\x80"}',
    "a list": b'[{"email": "a@b.example"}]',
    "a text": b'"a@b.example"',
    "a number": b"7",
    "null": b"null",
    "nothing but space": b"  ",
    "cut off": b'{"email": "a@b.example"',
    "two objects": b'{"email": "a@b.example"}{"email": "c@d.example"}',
    "Python": b"{'email': 'a@b.example'}",
    "a trailing comma": b'{"email": "a@b.example",}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_doubtful_json_is_refused(writer, body):
    response = writer.raw("POST", CUSTOMERS, body)
    assert response.status_code == 400
    assert said(response)["code"] == "parse_error"
    assert not Customer.objects.exists()


def test_what_is_not_doubtful_is_taken(writer):
    """The control: the same doors are open to strange but sound input."""
    body = named(r'"\ud83d\ude00 Zoë \"é\" ‮ {{7*7}} <script>"')
    assert writer.raw("POST", CUSTOMERS, body).status_code == 201
    assert Customer.objects.get().name == '😀 Zoë "é" ‮ {{7*7}} <script>'
    deepest = writer.raw("POST", CUSTOMERS, nested(DEEPEST))
    assert set(said(deepest)["fields"]) == {"name"}  # deep enough to be looked at


def test_a_body_over_a_megabyte_is_too_large(writer):
    fitting = b'{"email": "a@b.example"}'.ljust(LARGEST_BODY)
    assert writer.raw("POST", CUSTOMERS, fitting).status_code == 201
    for size in (LARGEST_BODY + 1, 10_000_000, 20_000_000):
        response = writer.raw("POST", CUSTOMERS, named('"x"').ljust(size))
        assert (response.status_code, said(response)["code"]) == (413, "too_large")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=bogus",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=bz2_codec",
        "application/json; charset=",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "nonsense",
        "",
    ],
)
def test_other_media_types_are_refused(writer, content_type):
    response = writer.raw("POST", CUSTOMERS, b'{"email": "a@b.example"}', content_type)
    assert response.status_code == 415
    assert said(response)["code"] == "unsupported_media_type"
    assert not Customer.objects.exists()


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"'])
def test_utf_8_may_be_named(writer, charset):
    content_type = f"application/json; charset={charset}"
    body = '{"email": "zoe@b.example", "name": "Zoë"}'.encode()
    assert writer.raw("POST", CUSTOMERS, body, content_type).status_code == 201


FIELDS = [
    ({"owner": "a@b.example"}, "owner"),
    ({"due_at": "2030-01-01T00:00:00Z"}, "due_at"),
    ({"is_staff": True}, "is_staff"),
    ({"score": 5}, "score"),
    ({"id": 7}, "id"),
    ({"created_at": "2030-01-01T00:00:00Z"}, "created_at"),
    ({"__class__": "x"}, "__class__"),
    ({"account": 7}, "account"),
    ({"account": []}, "account"),
    ({"account": {"owner": 1}}, "account"),
    ({"account": {"id": "a"}}, "account"),
    ({"account": {"id": True}}, "account"),
    ({"account": {"id": 2**63}}, "account"),
    ({"account": {"id": 10**30}}, "account"),
    ({"account": {"id": -1}}, "account"),
    ({"account": {"id": 1.5}}, "account"),
    ({"account": {"name": None}}, "account"),
    ({"email": "no address"}, "email"),
    ({"email": "a" * 300 + "@b.example"}, "email"),
    ({"email": "a@b.example\r\nBcc: c@d.example"}, "email"),
    ({"email": ["a@b.example"]}, "email"),
    ({"email": True}, "email"),
    ({"name": "x" * 201}, "name"),
    ({"name": {"a": 1}}, "name"),
    ({"name": None}, "name"),
    ({"is_key_contact": "perhaps"}, "is_key_contact"),
    ({"is_key_contact": None}, "is_key_contact"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"language": "x" * 11}, "language"),
]


@pytest.mark.parametrize(("given", "field"), FIELDS, ids=str)
def test_fields_that_do_not_fit_are_named(writer, given, field):
    response = writer.post(CUSTOMERS, {"external_id": "C-1", **given})
    assert response.status_code == 400
    assert set(said(response)["fields"]) == {field}
    assert not Customer.objects.exists()
    assert not AuditEntry.objects.filter(noun="customer").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("renews_on", "0001-01-01"),
        ("renews_on", "9999-12-31"),
        ("renews_on", "2026-02-30"),
        ("renews_on", "10/03/2026"),
        ("renews_on", "2026-03-10T00:00:00+24:00"),
        ("renews_on", 20260310),
        ("revenue", -1),
        ("revenue", "NaN"),
        ("revenue", "Infinity"),
        ("revenue", "1e400"),
        ("revenue", 10**20),
        ("revenue", "9" * 5_000),
        ("revenue", "1.234"),
        ("revenue", True),
        ("revenue", [5]),
    ],
)
def test_dates_and_sums_that_do_not_fit_are_named(writer, field, value):
    response = writer.post(ACCOUNTS, {"name": "Acme", field: value})
    assert response.status_code == 400
    assert set(said(response)["fields"]) == {field}
    assert not Account.objects.exists()


@pytest.mark.parametrize("version", [True, 5.5, [5], -1, 11, "five", "٥", None, 10**400])
def test_a_number_is_an_integer_of_json(alice, task, root_cause, version):
    """The way a score would be refused, had the API a way to give one."""
    body = {"root_cause": "Late delivery", "outcome": "lost", "action": "-", "version": version}
    response = caller_for(alice).post(f"{TASKS}{task.pk}/close/", body)
    assert response.status_code in ({409} if version in (-1, 11) else {400}), response.json()
    task.refresh_from_db()
    assert task.state == "open"


@pytest.mark.parametrize("score", [True, 5.5, [5], -1, 11, "5", "٥"])
def test_a_score_cannot_be_given_here(writer, task, score):
    path = f"/api/v1/responses/{task.response_id}/"
    assert writer.patch(path, {"score": score}).status_code == 405
    assert writer.get(path).json()["score"] == 2


QUERIES = [
    "customers/?external_id=%00",
    "customers/?segment=a%00b",
    "customers/?search=%00",
    "customers/?search=" + "x" * 201,
    "customers/?search=" + "+".join("abcdefghi"),
    "customers/?search=" + "a+" * 10_000,
    "customers/?search=a&search=b",
    "customers/?is_key_contact=perhaps",
    "customers/?serch=x",
    "customers/?account__owner__password=x",
    "customers/?limit=1000000000000",
    "customers/?limit=-1",
    "customers/?offset=100000000000000000000",
    "customers/?page_size=1000000000000",
    "responses/?score=abc",
    "responses/?survey=abc",
    "responses/?survey=%00",
    "responses/?survey=9223372036854775808",
    "responses/?survey=" + "9" * 30,
    "responses/?survey=" + "9" * 5_000,
    "responses/?survey=-1",
    "responses/?band=(",
    "responses/?band=detractor%00",
    "responses/?product=%00",
    "responses/?product__regex=(",
    "responses/?answered_from=0001-01-01T00:00:00Z",
    "responses/?answered_from=0001-01-01T00:00:00%2B14:00",
    "responses/?answered_before=9999-12-31T23:59:59-14:00",
    "responses/?answered_from=2026-03-10T00:00:00%2B24:00",
    "responses/?answered_from=2026-03-10T00:00:00",
    "responses/?answered_from=2026-02-30T00:00:00Z",
    "responses/?answered_from=2026-03-10",
    "responses/?answered_from=yesterday",
    "responses/?answered_from=%00",
    "tasks/?state=lost",
    "tasks/?overdue=1",
    "tasks/?overdue=TRUE",
    "tasks/?owner=%00",
    "tasks/?due_at=2026-03-10",
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:60])
def test_doubtful_queries_are_refused(reader, customer, query):
    response = reader.get(f"/api/v1/{query}")
    assert response.status_code == 400, response.json()
    assert set(said(response)["fields"]) == {query.partition("?")[2].partition("=")[0]}


@pytest.mark.parametrize("search", ["%", "_", "\\", "'", '"; DROP TABLE', "%%%%", "\\\\", "(", "*"])
def test_signs_that_mean_something_to_sql_mean_themselves(reader, customer, search):
    assert reader.get(CUSTOMERS, {"search": search}).json()["results"] == []


IDS = [
    str(2**63),
    "9" * 30,
    "9" * 5_000,
    "-1",
    "0",
    "abc",
    "1.5",
    "%00",
    "٥",
    "%ff",
    "1%2F2",
    "1;2",
]


@pytest.mark.parametrize("pk", IDS, ids=lambda pk: pk[:12])
def test_ids_that_name_nothing_are_not_found(writer, task, pk):
    for path in (f"{CUSTOMERS}{pk}/", f"{TASKS}{pk}/", f"{TASKS}{pk}/contacts/"):
        ask = writer.post if path.endswith("contacts/") else writer.get
        response = ask(path, {"channel": "phone", "outcome": "spoke"} if ask == writer.post else {})
        assert response.status_code == 404, response.content
        assert said(response)["code"] == "not_found"
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    "path", ["", "nothing", "nothing/", "customers/1/nothing/", "%00/", "customers//", "../admin"]
)
def test_addresses_that_do_not_exist_are_refused_in_the_same_shape(reader, path):
    response = reader.get(f"/api/v1/{path}")
    assert (response.status_code, said(response)["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_other_methods_are_refused(writer, customer, method):
    response = writer.generic(method, f"{CUSTOMERS}{customer.pk}/")
    assert response.status_code == 405
    assert said(response)["code"] == "method_not_allowed"


def test_a_method_cannot_be_smuggled(writer, customer):
    path = f"{CUSTOMERS}{customer.pk}/"
    for header in ("HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_METHOD_OVERRIDE"):
        assert writer.get(path, **{header: "DELETE"}).status_code == 200
    assert writer.get(f"{path}?_method=DELETE").status_code == 400
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_a_foreign_host_is_refused(reader, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    assert reader.get(CUSTOMERS).status_code == 200
    for host in ("evil.example", "testserver\r\nX-Injected: 1", "testserver@evil.example", ""):
        assert reader.get(CUSTOMERS, HTTP_HOST=host).status_code == 400


def test_links_to_pages_keep_to_the_host_that_was_asked(reader, customer):
    Customer.objects.create(email="second@x.example")
    body = reader.get(f"{CUSTOMERS}?page_size=1", HTTP_X_FORWARDED_HOST="evil.example").json()
    assert body["next"].startswith("http://testserver/api/v1/customers/?")


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ACCEPT": "x" * 10_000},
        {"HTTP_ACCEPT": "application/xml"},
        {"HTTP_ACCEPT": "*/*;q=nonsense"},
        {"HTTP_ACCEPT_LANGUAGE": ",".join(f"x{n}" for n in range(50_000))},
        {"HTTP_X_REQUEST_ID": "a\nb" * 1_000},
        {"HTTP_RANGE": "bytes=0-"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_strange_headers_do_no_harm(reader, headers):
    assert reader.get(CUSTOMERS, **headers).status_code in {200, 406}


def test_markup_is_data(writer):
    name = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    response = writer.post(CUSTOMERS, {"email": "a@b.example", "name": name})
    assert response["Content-Type"] == "application/json"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert json.loads(response.content)["name"] == name
