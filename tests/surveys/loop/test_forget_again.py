"""The log of erasures, and who is forgotten again by it."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from surveys.loop import forget_again
from surveys.loop.forget import forget
from surveys.models import Customer, Erasure, Suppression
from tests.planted import EMAIL, WORDS, planted_customer

HOUR = timedelta(hours=1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "erasures.jsonl"


@pytest.fixture
def known(account, now):
    """First stored a day before."""
    customer = planted_customer(account)
    customer.created_at = now - 24 * HOUR
    customer.save()
    return customer


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def noted(customer, at, email=EMAIL) -> forget_again.Noted:
    return forget_again.Noted(
        customer=customer.pk,
        address=Suppression.hash(email).hex() if email else None,
        at=at.isoformat(),
        cause="customer",
    )


def test_each_erasure_is_noted_once_and_names_nobody(known, path, now):
    forget(known, None, "Quendoline asked", now, Erasure.Cause.CUSTOMER)
    assert [forget_again.note(str(path), now) for _ in range(2)] == [1, 0]
    assert lines(path) == [
        {
            "customer": known.pk,
            "address": Suppression.hash(EMAIL).hex(),
            "at": now.isoformat(),
            "cause": "customer",
        }
    ]
    assert [word for word in WORDS if word in path.read_text().lower()] == []


def test_later_ones_are_added_at_the_end(known, customer, path, now):
    for one in (known, customer):
        forget(one, None, "", now)
        forget_again.note(str(path), now)
    assert [line["customer"] for line in lines(path)] == [known.pk, customer.pk]


def test_those_whose_time_was_up_are_left_out(db, path, now):
    forget(Customer.objects.create(), None, "", now, Erasure.Cause.TIME)
    assert forget_again.note(str(path), now) == 0
    assert not path.exists()


def test_a_file_that_cannot_be_written_loses_nothing(known, tmp_path, now):
    forget(known, None, "", now)
    with pytest.raises(OSError, match="No such file"):
        forget_again.note(str(tmp_path / "missing" / "file"), now)
    assert forget_again.note(str(tmp_path / "file"), now) == 1


def test_what_was_noted_is_what_is_read(known, path, now):
    forget(known, None, "", now, Erasure.Cause.CUSTOMER)
    forget_again.note(str(path), now)
    assert list(forget_again.read(path.read_text().splitlines())) == [noted(known, now)]


@pytest.mark.parametrize("line", ["{", "[]", '{"customer": 1}', '{"who": 1}', "1"])
def test_what_is_no_log_is_refused_with_its_line(line):
    with pytest.raises(forget_again.NotALog, match="Line 2 is no line of a log of erasures"):
        list(forget_again.read(["", line]))


def test_the_customer_of_that_number_is_forgotten_whatever_the_address_was_then(known, now):
    Customer.objects.update(email="older@zyxmail.example")
    assert forget_again.forget_again([noted(known, now)], now) == 1
    assert Customer.objects.get().forgotten_at == now
    digests = {bytes(digest) for digest in Suppression.objects.values_list("digest", flat=True)}
    assert digests == {Suppression.hash(EMAIL), Suppression.hash("older@zyxmail.example")}


def test_another_customer_who_got_the_number_since_is_not(known, now):
    line = noted(known, now)
    Customer.objects.update(email="other@zyxmail.example", created_at=now + HOUR)
    assert forget_again.forget_again([line], now) == 0


@pytest.mark.parametrize(("hours", "times"), [(-1, 1), (1, 0)])
def test_who_had_the_address_before_is_forgotten_and_who_came_later_is_not(
    known, account, now, hours, times
):
    line = noted(known, now)
    known.delete()
    Customer.objects.create(account=account, email=EMAIL, created_at=now + hours * HOUR)
    assert forget_again.forget_again([line], now) == times


def test_the_address_is_not_written_to_even_if_nobody_has_it(known, now):
    line = noted(known, now)
    known.delete()
    assert forget_again.forget_again([line, line], now) == 0
    assert Suppression.objects.get().reason == "forgotten"


def test_forgetting_again_is_not_noted_again(known, path, now):
    forget_again.forget_again([noted(known, now)], now)
    assert (Erasure.objects.get().cause, forget_again.note(str(path), now)) == ("customer", 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content", [None, b"\xff", b"{"])
def test_a_log_that_cannot_be_read_stops_the_restore(path, content):
    if content:
        path.write_bytes(content)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("after_restore", timezone.now().isoformat(), erasures=str(path))
