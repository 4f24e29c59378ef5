import re

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from surveys.models import EscalationPolicy, MailTemplate, Message, User

pytestmark = pytest.mark.django_db


def said(capsys) -> str:
    call_command("first_administrator")
    return capsys.readouterr().out


def test_the_first_administrator_is_invited_and_can_choose_a_password(settings, capsys, client):
    settings.ADMIN_EMAIL = " Head@Northwind.example "
    link = said(capsys).splitlines()[-1]
    user = User.objects.get()
    assert (user.email, user.role) == ("head@northwind.example", "administrator")
    assert Message.objects.get().kind == "welcome"
    assert client.get(link.removeprefix("http://testserver"), follow=True).status_code == 200


def test_nobody_is_invited_where_there_is_somebody(settings, capsys, alice):
    settings.ADMIN_EMAIL = "head@northwind.example"
    assert "colleagues already" in said(capsys)
    assert User.objects.get() == alice


def test_without_an_address_it_says_what_to_do(settings, capsys):
    settings.ADMIN_EMAIL = ""
    assert "Set ADMIN_EMAIL" in said(capsys)
    assert not User.objects.exists()


def test_a_mistyped_address_is_refused(settings):
    settings.ADMIN_EMAIL = "head at northwind"
    with pytest.raises(ValidationError, match="valid email"):
        call_command("first_administrator")


def test_a_new_house_begins_with_the_usual_policy_once(settings, capsys):
    settings.ADMIN_EMAIL = ""
    assert "The usual escalation policy is in force" in said(capsys)
    assert [str(step) for step in EscalationPolicy.objects.get().steps.all()] == [
        "36 hours after the answer, if nobody has opened the task: tell owner",
        "48 hours after the answer, if nobody has reached the customer: tell owner and team lead",
        "72 hours after the answer, if nobody has reached the customer: "
        "tell owner, team lead and head",
        "96 hours after the answer, if nobody has reached the customer: "
        "tell team lead, head and executive",
    ]
    EscalationPolicy.objects.all().delete()  # as whoever wants none does
    assert "policy" not in said(capsys)
    assert not EscalationPolicy.objects.exists()


def test_a_new_house_begins_with_mails_in_every_language_once(settings, capsys):
    settings.ADMIN_EMAIL = ""
    assert "20 templates of mails to customers" in said(capsys)
    templates = list(MailTemplate.objects.all())
    languages = {code for code, _ in settings.LANGUAGES}
    for name in ("Arrange a call", "Missed you by phone"):
        assert {each.language for each in templates if each.name == name} == languages
    for template in templates:
        template.full_clean(validate_unique=False, validate_constraints=False)
        assert {"{name}", "{answered}", "{product}", "{sender}"} <= set(
            re.findall(r"\{\w+\}", template.text)
        )
    MailTemplate.objects.all().delete()
    assert "templates" not in said(capsys)
