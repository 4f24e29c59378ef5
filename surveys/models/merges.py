"""What makes two rows look like one customer or one account: keys that lists and indexes share."""

from __future__ import annotations

from django.db.models import CharField, F, Func, Value
from django.db.models.functions import Lower, Right, StrIndex, Substr

SAME_NUMBER = 8  # digits at the end: country codes and a leading 0 are written or not


def _replaced(field: str, pattern: str, by: str) -> Func:
    values = (F(field), Value(pattern), Value(by), Value("g"))
    return Func(*values, function="regexp_replace", output_field=CharField())


def name_key(field: str = "name") -> Lower:
    """In lower case, without spaces and punctuation: “Acme, Inc.” and “ACME Inc” are one."""
    return Lower(_replaced(field, r"[\s[:punct:]]+", ""))


def domain_key(field: str = "email") -> Substr:
    """What follows the @ of an address."""
    return Substr(F(field), StrIndex(F(field), Value("@")) + Value(1))


def phone_key(field: str = "phone") -> Right:
    """The last digits of a number, however it is written."""
    return Right(_replaced(field, r"\D", ""), SAME_NUMBER)
