"""Addresses that are out in the world stay readable: their bytes and letters never change."""

import pytest

from surveys.delivery import task_address, verp
from surveys.delivery.signed_address import SignedAddress
from surveys.models import Message, OutreachTask

BASE = "tasks@northwind.example"


@pytest.fixture(autouse=True)
def _key(settings):
    settings.LINK_KEY = "a key that stays"
    settings.BOUNCE_ADDRESS, settings.TASK_ADDRESS = "bounces@northwind.example", BASE


def test_what_was_mailed_years_ago_is_read_today():
    mailed = "bounces+17-2ipl6h5i3sxd@northwind.example"
    assert verp.address(Message(pk=17)) == mailed
    assert verp.read(mailed) == 17
    mailed = "tasks+17-pzeycizvyy6ivrvv@northwind.example"
    assert task_address.address(OutreachTask(pk=17)) == mailed
    assert task_address.read(mailed) == 17


def test_an_address_for_one_purpose_is_none_for_another():
    one, other = SignedAddress(b"one", letters=12), SignedAddress(b"other", letters=12)
    assert one.read(one.of(BASE, 17)) == 17  # the control
    assert other.read(one.of(BASE, 17)) is None
    assert SignedAddress(b"one", letters=16).read(one.of(BASE, 17)) is None


def test_the_number_belongs_to_its_letters():
    signed = SignedAddress(b"one", letters=16)
    address = signed.of(BASE, 17)
    assert signed.read(address.replace("+17-", "+71-")) is None
    number, mac = address.removesuffix("@northwind.example").split("-")
    for place, letter in enumerate(mac):
        forged = mac[:place] + ("b" if letter == "a" else "a") + mac[place + 1 :]
        assert signed.read(f"{number}-{forged}@northwind.example") is None


def test_it_fits_rfc_5321_for_any_row():
    local, _, _ = SignedAddress(b"one", letters=16).of(BASE, 2**63 - 1).rpartition("@")
    assert len(local) <= 64
