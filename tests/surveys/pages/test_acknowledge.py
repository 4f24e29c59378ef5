"""The link of an escalation: no log-in, no write by looking, no machine that presses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import answer, ask, close
from surveys.models import Escalation, EscalationRecipient
from surveys.pages import nonces
from tests.surveys.pages.pressing import press

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def task(nps, customer):
    then = timezone.now() - 73 * HOUR
    invitation = ask.invite(nps, [customer], "test:1", then - HOUR)[0]
    return answer.give(invitation, 2, "It never came.", then)[0].task


@pytest.fixture
def escalation(task):
    return Escalation.objects.create(
        task=task,
        began_at=task.started_at,
        level=3,
        after_hours=72,
        waits_for="reached",
        at=timezone.now(),
    )


@pytest.fixture
def hedda(db):
    return EscalationRecipient.objects.create(name="Hedda", email="h@northwind.example", tier=3)


@pytest.fixture
def link(escalation, hedda):
    return f"/k/{escalation.token(hedda)}"


def known() -> list[str]:
    rows = Escalation.objects.exclude(acknowledged_at=None)
    return list(rows.values_list("acknowledged_by", flat=True))


def test_a_head_without_a_log_in_says_that_they_know(client, link, task):
    page = client.get(link)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Lakeside Mills: score 2" in text
    assert "Ines" not in text  # whoever finds the link learns nothing of a person
    assert "It never came" not in text
    assert known() == []
    done = press(client, link)
    assert "It is known that you know" in done.content.decode()
    assert known() == ["Hedda"]
    assert "Thank you" in press(client, link).content.decode()
    assert "Thank you" in client.get(link).content.decode()
    task.refresh_from_db()
    assert task.state == "open"


def test_a_colleague_s_link_is_theirs(client, escalation, alice):
    press(client, f"/k/{escalation.token(alice)}")
    assert known() == ["Alice"]
    alice.is_active = False
    alice.save()
    assert client.get(f"/k/{escalation.token(alice)}").status_code == 404


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing_and_leaves_no_cookie(client, link, method):
    said = getattr(client, method)(link)
    assert (said.status_code, known(), dict(said.cookies)) == (200, [], {})
    assert said["Cache-Control"] == "no-store"
    assert "script-src" not in said["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("how", "caught"),
    [
        ({"form": nonces.DECOY}, True),
        ({"homepage": "https://x.example"}, True),
        ({"seconds": 0.2}, True),
        ({}, False),
    ],
)
def test_a_machine_that_presses_is_asked_once_more(client, link, how, caught):
    page = press(client, link, **how)
    assert known() == ([] if caught else ["Hedda"])
    assert ("Please press once more" in page.content.decode()) == caught
    press(client, link, form=nonces.AGAIN)
    assert known() == ["Hedda"]


@pytest.mark.parametrize("nonce", ["", "1.x", "\x00", "9" * 400])
def test_without_a_nonce_of_ours_nothing_happens(client, link, nonce):
    said = client.post(link, {"nonce": nonce})
    assert (said.status_code, known()) == (200, [])
    assert "I know of it" in said.content.decode()


def test_a_nonce_of_yesterday_is_not_good_any_more(client, link):
    press(client, link, seconds=25 * 3600)
    assert known() == []


def test_the_link_outlives_its_use(client, link, task, alice, root_cause):
    close.close(task, alice, root_cause, "lost", "They have left.", timezone.now())
    assert "This task is over" in client.get(link).content.decode()
    assert "This task is over" in press(client, link).content.decode()
    assert known() == []


def test_case_may_change_on_the_way(client, link):
    assert client.get(link.upper().replace("/K/", "/k/")).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token.replace(".r", ".u"),
        lambda token: "9" + token,
        lambda token: token + "a",
        lambda token: token.partition(".")[0],
        lambda token: "9" * 400,
        lambda token: "%00",
        lambda token: "٣" + token,
    ],
)
def test_any_other_text_leads_nowhere(client, link, change):
    token = link.removeprefix("/k/")
    assert client.get(f"/k/{change(token)}").status_code == 404


def test_who_is_told_no_more_has_no_link_any_more(client, link, hedda):
    hedda.is_active = False
    hedda.save()
    assert client.get(link).status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_looking_costs_the_same_for_any_number_of_steps(
    client, link, task, rows, django_assert_num_queries
):
    for number in range(rows):
        Escalation.objects.create(
            task=task,
            began_at=task.started_at,
            level=1,
            after_hours=36 + number,
            waits_for="opened",
            at=timezone.now(),
        )
    with django_assert_num_queries(6):
        client.get(link)
