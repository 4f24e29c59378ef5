import pytest
from django.utils import timezone

from surveys.loop import ask
from surveys.pages import clients
from surveys.pages.clients import Lately, address_of


@pytest.fixture
def clock():
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    return Clock()


def request(rf, remote, forwarded=""):
    return rf.get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),  # nobody is trusted: anybody can write that header
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "192.0.2.1"),
    ],
)
def test_the_address_is_what_our_outermost_proxy_saw(rf, settings, proxies, forwarded, address):
    settings.PROXY_COUNT = proxies
    assert address_of(request(rf, "192.0.2.1", forwarded)) == address


@pytest.mark.parametrize(
    ("remote", "network"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", "unix:"),
        ("x" * 999, "x" * 64),
    ],
)
def test_an_ipv6_address_stands_for_its_network_and_nonsense_for_itself(rf, remote, network):
    assert address_of(request(rf, remote)) == network


def test_what_was_done_is_forgotten_in_time(clock):
    lately = Lately(10, most=20, clock=clock)
    assert lately.add("one", "a") == ["a"]
    clock.now = 10
    assert lately.add("one", "b") == ["a", "b"]
    assert lately.add("other", "c") == ["c"]
    clock.now = 11
    assert lately.add("one", "d") == ["b", "d"]


def test_memory_has_bounds(clock, monkeypatch):
    monkeypatch.setattr(clients, "MOST_CLIENTS", 2)
    lately = Lately(10, most=3, clock=clock)
    for thing in range(9):
        lately.add("one", thing)
    assert lately.add("one", "x") == [7, 8, "x"]
    lately.add("two", 1)
    lately.add("three", 1)
    assert lately.add("one", "y") == ["y"]


def test_each_invitation_counts_once_for_ten_seconds(monkeypatch, clock):
    monkeypatch.setattr(clients.walks, "clock", clock)
    for moment, invitation in ((0, 1), (5, 1), (6, 2)):
        clock.now = moment
        clients.meet("192.0.2.1", invitation)
    assert [clients.invitations_met(client) for client in ("192.0.2.1", "192.0.2.2")] == [2, 0]
    clock.now = 16
    assert clients.invitations_met("192.0.2.1") == 1
    clock.now = 17
    assert clients.invitations_met("192.0.2.1") == 0


@pytest.mark.django_db(transaction=True)
def test_only_unknown_links_count_and_only_unknown_ones_are_refused(client, nps, customer):
    [invitation] = ask.invite(nps, [customer], "test:1", timezone.now())
    known = f"/a/{invitation.token()}"
    for _ in range(60):
        assert client.get(known).status_code == 200
        assert client.get("/a/" + "a" * 26).status_code == 404
    refused = client.get("/a/" + "b" * 26)
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert client.get("/u/" + "b" * 26).status_code == 429
    assert client.get(known).status_code == 200
    assert client.get("/a/" + "b" * 26, REMOTE_ADDR="192.0.2.7").status_code == 404
