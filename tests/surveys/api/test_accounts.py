"""An account changes hands: its open tasks move along, unless the sender says otherwise."""

from datetime import timedelta

import pytest

from surveys.loop import answer, ask

pytestmark = pytest.mark.django_db
ACCOUNTS = "/api/v1/accounts/"


@pytest.fixture
def task(nps, customer, now):
    invitation = ask.invite(nps, [customer], "test:1", now - timedelta(hours=1))[0]
    return answer.give(invitation, 2, "It never came.", now)[0].task


@pytest.mark.parametrize(
    ("said", "owner"),
    [({}, "Bob"), ({"move_open_tasks": True}, "Bob"), ({"move_open_tasks": False}, "Alice")],
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_open_tasks_move_with_an_account_by_choice(
    writer, account, task, bob, manager, method, said, owner
):
    body = {"owner": bob.email, **said}
    if method == "post":
        response = writer.post(ACCOUNTS, {"name": account.name, **body})
    else:
        response = writer.patch(f"{ACCOUNTS}{account.pk}/", body)
    assert response.status_code == 200, response.json()
    assert response.json()["owner"] == bob.email
    assert "move_open_tasks" not in response.json()
    task.refresh_from_db()
    assert str(task.owner) == owner


def test_a_new_account_has_no_tasks_to_move(writer, bob):
    body = {"name": "Foothill", "owner": bob.email, "move_open_tasks": True}
    assert writer.post(ACCOUNTS, body).status_code == 201


def test_the_choice_is_yes_or_no(writer, account):
    response = writer.patch(f"{ACCOUNTS}{account.pk}/", {"move_open_tasks": "perhaps"})
    assert response.status_code == 400
