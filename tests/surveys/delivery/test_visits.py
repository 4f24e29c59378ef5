"""Visits are written by a role that may do nothing else, and lost rather than waited for."""

import psycopg
import pytest
from django.db import connection, connections
from django.utils import timezone
from psycopg import errors

from surveys.delivery import visits
from surveys.delivery.visits import Seen, Writer, role_of
from surveys.loop import ask
from surveys.models import Visit, client_hash
from tests.surveys.pages.pressing import BROWSER, press
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


@pytest.fixture
def writer(monkeypatch, settings):
    """The pages' writer, without its thread: each test says when it writes."""
    settings.RECORD_VISITS = True
    writer = Writer()
    monkeypatch.setattr(writer, "_start", lambda: None)
    monkeypatch.setattr("surveys.pages.guest.writer", writer)
    yield writer
    writer.close()


def seen_on(invitation, now, agent="Firefox", what="opened") -> Seen:
    return Seen(invitation.pk, what, now, "c" * 16, agent)


def test_each_look_and_each_press_leaves_a_visit(client, writer, invitation):
    url = f"/a/{invitation.token()}"
    client.head(url, headers=BROWSER)
    client.get(url + "?score=9", headers=BROWSER)
    client.get(url + "/all")
    press(client, url, score="9")
    press(client, url, score="8", form="decoy")
    client.get(f"/u/{invitation.token('unsubscribe')}")
    client.get("/a/" + "a" * 26)  # nobody's: not kept
    assert not Visit.objects.exists()
    assert writer.write_waiting() == 6
    assert list(Visit.objects.values_list("what", "score")) == [
        ("looked", None),
        ("opened", 9),
        ("hidden_link", None),
        ("pressed", 9),
        ("caught", 8),
        ("opt_out_page", None),
    ]
    first = Visit.objects.first()
    assert (first.invitation, first.agent) == (invitation, BROWSER["User-Agent"])
    assert first.client == client_hash("127.0.0.1")


def test_the_hidden_link_alone_makes_the_next_press_suspicious(client, writer, invitation):
    """From the request to the trap, through the thread's own work."""
    url = f"/a/{invitation.token()}"
    client.get(url + "/all")
    writer.write_waiting()
    assert "Please press once more" in press(client, url, score="9").text


def test_without_the_setting_nothing_is_kept(client, writer, invitation, settings):
    settings.RECORD_VISITS = False
    client.get(f"/a/{invitation.token()}")
    assert writer.write_waiting() == 0


def test_the_thread_writes_by_itself(settings, invitation, now):
    settings.RECORD_VISITS = True
    writer = Writer()
    writer.note(seen_on(invitation, now))
    assert eventually(lambda: Visit.objects.count()) == 1
    writer.note(seen_on(invitation, now))
    assert eventually(lambda: Visit.objects.count() == 2)
    writer.close()


def test_what_does_not_fit_is_lost_and_counted(settings, monkeypatch, invitation, now):
    settings.RECORD_VISITS = True
    writer = Writer(most=2)
    monkeypatch.setattr(writer, "_start", lambda: None)
    for _ in range(5):
        writer.note(seen_on(invitation, now))
    assert writer.lost == 3
    assert writer.write_waiting() == 2
    writer.close()


def test_a_browsers_name_is_cut_and_cleaned(writer, invitation, now):
    writer.note(seen_on(invitation, now, agent="a\0b\nc\ud800" + "x" * 999))
    writer.write_waiting()
    assert Visit.objects.get().agent == "abc" + "x" * 197


@pytest.fixture
def as_role(transactional_db):
    """A session with the rights of the role that writes visits."""
    session = psycopg.connect(**connection.get_connection_params(), autocommit=True)
    role = role_of(connection.settings_dict["NAME"])
    session.execute(f'SET ROLE "{role}"')
    yield session
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM surveys_visit",
        "DELETE FROM surveys_visit",
        "UPDATE surveys_visit SET what = 'opened'",
        "TRUNCATE surveys_visit",
        "INSERT INTO surveys_suppression (digest, reason, at) VALUES ('', 'forgotten', now())",
        "UPDATE surveys_response SET score = 10",
        "SELECT * FROM surveys_customer",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_role_may_do_nothing_else(as_role, sql):
    with pytest.raises(errors.InsufficientPrivilege):
        as_role.execute(sql)


def test_it_may_append_a_visit(as_role, invitation):
    """The control."""
    as_role.execute(
        "INSERT INTO surveys_visit (invitation_id, at, what, client, agent) "
        "VALUES (%s, now(), 'opened', '', '')",
        [invitation.pk],
    )
    assert Visit.objects.count() == 1


def test_without_the_role_it_says_what_the_administrator_has_to_do(
    settings, monkeypatch, invitation, now, caplog
):
    settings.RECORD_VISITS = True
    monkeypatch.setattr(visits, "role_of", lambda database: "nobody_made_this_role")
    writer = Writer()
    monkeypatch.setattr(writer, "_start", lambda: None)
    assert writer._write_or_say_why(seen_on(invitation, now)) == visits.RETRY
    [said] = [record.getMessage() for record in caplog.records if "visits" in record.getMessage()]
    assert "CREATE ROLE nobody_made_this_role NOLOGIN" in said
    assert "GRANT INSERT ON surveys_visit TO nobody_made_this_role" in said
    assert not Visit.objects.exists()


def test_a_user_that_may_not_create_roles_is_served_by_one_made_before(now):
    """As an administrator prepares it: the application's own user is neither superuser nor may it
    create roles, and writes visits by the role that was granted to it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain_user LOGIN NOSUPERUSER NOCREATEROLE")
        role = role_of(connection.settings_dict["NAME"])
        cursor.execute(f'GRANT "{role}" TO plain_user')
    parameters = connections["default"].get_connection_params() | {"user": "plain_user"}
    try:
        with psycopg.connect(**parameters, autocommit=True) as session:
            session.execute(f'SET ROLE "{role}"')
            with session.cursor().copy(visits.COPY) as copy:
                copy.write_row(Seen(1, "opened", now, "", ""))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE plain_user")
    assert Visit.objects.count() == 1
