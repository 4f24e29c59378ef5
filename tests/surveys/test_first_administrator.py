import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from surveys.models import Message, User

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
