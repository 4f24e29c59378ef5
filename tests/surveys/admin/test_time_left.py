import pytest

from surveys.loop import reach_out
from tests.surveys.admin.conftest import names, queue


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("overdue", ["Over Olu"]),
        ("within_4", ["Soon Sam"]),
        ("within_24", ["Soon Sam", "Next Nia"]),
        ("reached", ["Done Dee"]),
        ("nonsense", []),
    ],
)
def test_the_queue_can_be_narrowed_down_by_the_time_left(
    signed_in, opened, alice, now, choice, found
):
    opened(10, "Late Lee")
    opened(50, "Next Nia")
    opened(70, "Soon Sam")
    opened(80, "Over Olu")
    reach_out.log_contact(opened(90, "Done Dee"), alice, "phone", "spoke", "", now)
    assert names(queue(signed_in(alice), queue="open", left=choice)) == found


def test_the_queue_can_be_narrowed_down_to_a_team(signed_in, opened, manager, team, bobs_account):
    opened(10, "Late Lee")
    opened(20, "Free Fay", to=bobs_account)
    client = signed_in(manager)
    assert names(queue(client, queue="open", owner_team=team.pk)) == ["Late Lee"]
    assert names(queue(client, queue="open", owner_team="-")) == []
