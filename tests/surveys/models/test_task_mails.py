import pytest
from django.core.exceptions import ValidationError

from surveys.models import MailTemplate
from surveys.models.task_mails import unfilled

VALUES = {"name": "Ada", "company": "Northwind", "product": "Delivery", "answered": "10 March",
          "sender": "Alice"}  # fmt: skip


def test_what_is_in_braces_is_filled_in_and_nothing_is_evaluated():
    template = MailTemplate(
        subject="{product}", text="Hello {name}, {{7*7}} {name.__class__} {% load x %} {} {sender}"
    )
    assert template.filled(VALUES | {"name": "{sender} {{x}}"}) == (
        "Delivery", "Hello {sender} {{x}}, {{7*7}} {name.__class__} {% load x %} {} Alice",
    )  # fmt: skip


def test_somebody_without_a_name_is_greeted_all_the_same():
    template = MailTemplate(subject="About us", text="Hello {name},\n{company}")
    assert template.filled(VALUES | {"name": ""}) == ("About us", "Hello,\nNorthwind")


@pytest.mark.parametrize("field", ["subject", "text"])
def test_a_placeholder_that_means_nothing_is_refused(field):
    template = MailTemplate(**{"subject": "A", "text": "B", field: "Dear {nmae}, {name}"})
    with pytest.raises(ValidationError, match=r"“\{nmae\}” means nothing here"):
        template.clean()


@pytest.mark.parametrize(
    ("text", "found"),
    [("Dear {name}, {sender}", "{name}"), ("Dear Ada", ""), ("{7*7} {x} {}", "")],
)
def test_what_was_left_unfilled_is_found(text, found):
    assert unfilled(text) == found
