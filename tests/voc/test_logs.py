"""Logs are one JSON object a line, and hold nothing that opens a link or names a person."""

import io
import json
import logging
import logging.config

import pytest
import structlog

from surveys.api import keys
from surveys.models import ApiKey
from voc.logs import logging_config, masked

TOKEN = "abcdefghijklmnopqrstuvwxyz"
TOKEN_UPPER = TOKEN.upper()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"/a/{TOKEN}", "/a/abcd…"),
        (f"GET /a/{TOKEN}?score=9 HTTP/1.1", "GET /a/abcd…?score=9 HTTP/1.1"),
        (f"/u/{TOKEN_UPPER}.", "/u/ABCD…."),
        (f"Links({TOKEN!r}, {TOKEN!r})", "Links('abcd…', 'abcd…')"),
        ("mail to ines@lakeside.example failed", "mail to …@lakeside.example failed"),
        ("{'ines+x@lakeside.example': (550, b'no')}", "{'…@lakeside.example': (550, b'no')}"),
        ("<ines@lakeside.example>", "<…@lakeside.example>"),
        ('"ines okafor"@lakeside.example', "…@lakeside.example"),
        ("/x?email=ines%40lakeside.example", "/x?email=…@lakeside.example"),
        ("Key (email)=(ines@lakeside.example)", "Key (email)=…@lakeside.example)"),
        ("/admin/reset/MQ/cabc12-0123456789abcdef/", "/admin/reset/MQ/…/"),
        ("Bearer voc_0011aabb_Zm9v-YmFy_x", "Bearer voc_0011aabb_…"),
    ],
)  # fmt: skip
def test_secrets_and_names_are_masked(text, kept):
    assert masked(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "/admin/surveys/outreachtask/12/change/",
        "/api/v1/customers/7/",
        "surveys.tasks.free_abandoned_mail succeeded in 0.1 s",
        "d1f0c1a2b3c4d5e6f708192a3b4c5d6e",  # a request id
        "2026-03-10T09:00:00.000000Z",
        "postgres://voc@/voc?host=/run/sock",
    ],
)
def test_what_an_operator_needs_stays(text):
    assert masked(text) == text


@pytest.fixture
def lines():
    """What our own handler writes while the test runs, read back as JSON."""
    config = logging_config("INFO")
    logging.config.dictConfig(config)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


def test_a_line_is_a_json_object_with_time_level_and_logger(lines):
    logging.getLogger("surveys.delivery").warning("sending to %s failed", "ines@lakeside.example")
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "sending to …@lakeside.example failed",
        "level": "warning",
        "logger": "surveys.delivery",
    }


def test_what_structlog_is_told_is_masked_whatever_its_type(lines):
    log = structlog.get_logger("voc.test")
    log.info("asked", link=f"/a/{TOKEN}", to=["ines@lakeside.example"], n=3, ok=True, none=None)
    [line] = lines()
    assert (line["link"], line["to"]) == ("/a/abcd…", "['…@lakeside.example']")
    assert (line["n"], line["ok"], line["none"]) == (3, True, None)


def test_tracebacks_are_masked(lines):
    try:
        raise ValueError(f"no invitation {TOKEN} for ines@lakeside.example")
    except ValueError:
        logging.getLogger("django.request").exception("Internal Server Error: /a/%s", TOKEN)
    [line] = lines()
    assert "ValueError" in line["exception"]
    assert TOKEN not in str(line)
    assert "ines" not in str(line)


@pytest.mark.parametrize(
    "evil", ["a\nb", "a\r\nb", "\x1b[2J", "\x9b2J", "\u2028", "\u202e", "\x00"]
)
def test_no_input_can_add_a_line_or_steer_a_terminal(lines, capsys, evil):
    logging.getLogger("voc.test").info("name %s", evil)
    [line] = lines()  # one line, and valid JSON
    assert line["event"] == f"name {evil}"
    written = capsys.readouterr().err
    assert evil not in written
    assert written.isascii()


def test_a_lone_surrogate_is_written_as_an_escape(lines):
    """Without a logger: pytest could not report what it captured to its other processes."""
    record = logging.makeLogRecord({"msg": "name \ud800", "levelname": "INFO"})
    written = logging.getLogger().handlers[0].format(record)
    assert written.isascii()
    assert json.loads(written)["event"] == "name \ud800"


@pytest.mark.django_db
def test_a_request_is_one_line_without_its_secrets(client, lines, manager, now):
    text = keys.issue("CRM sync", manager, ApiKey.Scope.READ, now)[1]
    path = f"/a/{TOKEN}"
    response = client.get(
        f"{path}?email=ines@lakeside.example",
        HTTP_AUTHORIZATION=f"Bearer {text}",
        HTTP_USER_AGENT="evil\nagent",
        HTTP_X_REQUEST_ID="proxy-7",
    )
    [line] = [line for line in lines() if line["logger"] == "voc.requests"]
    assert line.pop("timestamp")
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "voc.requests",
        "method": "GET",
        "path": "/a/abcd…",
        "status": response.status_code,
        "request_id": "proxy-7",
    }
    assert response["X-Request-ID"] == "proxy-7"
    for secret in (TOKEN, "ines", text, text.split("_", 2)[2], "evil"):
        assert secret not in str(lines())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [("a\r\nSet-Cookie: x=1", "aSet-Cookiex1"), ("x" * 500, "x" * 64), ("запрос-7", "-7")],
)
def test_a_request_id_can_stand_in_a_header(client, given, kept):
    assert client.get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"] == kept


@pytest.mark.django_db
def test_without_one_each_request_gets_an_id_of_its_own(client):
    ids = {client.get("/healthz", HTTP_X_REQUEST_ID=sent)["X-Request-ID"] for sent in ("", "  ")}
    assert len(ids) == 2
    assert all(len(one) == 32 for one in ids)


def test_probes_do_not_fill_the_log(client, lines):
    client.get("/healthz")
    assert lines() == []
