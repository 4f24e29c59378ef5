"""Nothing that a colleague types in leads into our own network, or holds a sender up."""

import socket
import ssl
from ipaddress import ip_address

import pytest

from surveys.delivery import outward
from surveys.models import chat as noun
from tests.surveys.delivery.room import HOST

BODY, HEADERS = b'{"text": "Hello"}', {"Content-Type": "application/json"}


def post(url):
    return outward.post(url, BODY, HEADERS)


def test_it_arrives_under_the_name_it_was_sent_to(room):
    assert post(room.url) == 200
    [(path, headers)] = room.requests
    assert path == "/services/s3cret?a=b"
    assert headers["Host"] == f"{HOST}:{room.port}"
    assert headers["Content-Type"] == "application/json"
    assert room.told == [{"text": "Hello"}]
    assert room.looked_up == [HOST]  # once: what a later look-up would say does not matter


def test_loopback_is_refused_but_for_this_test(room, monkeypatch):
    """The control: the same server, without the switch that only a test can reach."""
    monkeypatch.undo()
    monkeypatch.setattr(noun, "PORTS", {room.port})
    with pytest.raises(outward.Forbidden, match="an address that is not public"):
        post(f"https://localhost:{room.port}/")
    assert room.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.9.9.9", "169.254.169.254",
        "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
        "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::",
        "2002:808:808::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_what_is_not_the_open_internet_is_refused(address):
    assert not outward.is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"]
)
def test_the_open_internet_is_not(address):
    assert outward.is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/", "https://user@chat.example/", "https://chat.example:22/",
        "ftp://chat.example/", "https://", "https://[::1", "https://chat.example:x/", "",
        "file:///etc/passwd", "https://" + "a" * 70 + ".example/",
    ],
)  # fmt: skip
def test_other_addresses_are_none(url):
    with pytest.raises(outward.Forbidden, match="not an https address"):
        post(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "0"]
)
def test_loopback_is_refused_however_it_is_written(host):
    with pytest.raises((outward.Forbidden, outward.Undelivered)) as refusal:
        post(f"https://{host}/")
    assert str(refusal.value) in ("an address that is not public", "the name is not known")


def test_one_closed_address_among_open_ones_is_enough(monkeypatch):
    """Names that lead elsewhere at each look-up."""
    places = [(2, 1, 6, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    with pytest.raises(outward.Forbidden, match="not public"):
        post("https://rebinding.example/")


def test_a_name_that_nobody_knows(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(outward.Undelivered, match="the name is not known"):
        post("https://nobody.example/")


def test_a_redirect_is_not_followed(room):
    room.replies = ["redirect"]
    assert post(room.url) == 302
    assert [path for path, _ in room.requests] == ["/services/s3cret?a=b"]


@pytest.mark.parametrize("fault", ["nothing", "drip"])
def test_who_never_ends_is_hung_up_on(room, monkeypatch, fault):
    """A dripping server says a byte every 50 ms, for 20 s: no pause is long enough for a time-out
    between two bytes, so it is the limit for all of it that ends this."""
    monkeypatch.setattr(outward, "TOTAL", 0.5)
    room.replies = [fault]
    with pytest.raises(outward.Undelivered, match=r"timeout|longer than 15 seconds"):
        post(room.url)


def test_only_the_beginning_of_a_reply_is_read(room):
    room.replies = ["flood"]
    assert post(room.url) == 200
    assert room.sent < 65_536_000  # the line was cut long before its end


def test_another_name_s_certificate_is_refused(room, monkeypatch):
    with pytest.raises(outward.Undelivered, match="no valid certificate"):
        post(f"https://127.0.0.1:{room.port}/")
    monkeypatch.setattr(outward, "trust", ssl.create_default_context)
    with pytest.raises(outward.Undelivered, match="no valid certificate"):
        post(room.url)
    assert room.requests == []


def test_a_closed_door_says_no_more_than_that(room, monkeypatch):
    room.close()
    with pytest.raises(outward.Undelivered, match=r"^refused$"):
        post(room.url)
