import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from surveys.models import AuditEntry, Customer

GOOD = "e-mail,name,account\nnia@mills.example,Nia Nørgård,Lakeside Mills\n"


def address() -> str:
    return reverse("admin:surveys_customer_import")


def upload(client, text: str | bytes):
    content = text.encode() if isinstance(text, str) else text
    return client.post(address(), {"file": SimpleUploadedFile("customers.csv", content)})


def test_first_it_says_what_would_happen_then_it_does_exactly_that(signed_in, manager, account):
    client = signed_in(manager)
    page = upload(client, GOOD)
    assert page.context["plan"].created == 1
    assert not Customer.objects.exists()
    said = client.post(address(), {"checked": page.context["checked"]})
    assert said.url == reverse("admin:surveys_customer_changelist")
    nia = Customer.objects.get()
    assert (nia.email, nia.name, nia.account) == ("nia@mills.example", "Nia Nørgård", account)
    assert AuditEntry.objects.get(verb="import").actor == manager


def test_a_second_import_has_nothing_to_do(signed_in, manager, account):
    client = signed_in(manager)
    client.post(address(), {"checked": upload(client, GOOD).context["checked"]})
    page = upload(client, GOOD)
    assert "checked" not in page.context
    assert "There is nothing to do" in page.content.decode()


def test_errors_name_their_lines_and_nothing_is_imported(signed_in, manager, account):
    page = upload(signed_in(manager), GOOD + "not-an-address,Bo,Lakeside Mills\n")
    assert page.status_code == 422
    assert "Line 3" in page.content.decode()
    assert "checked" not in page.context
    assert not Customer.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"colour,size\nred,9\n"])
def test_a_file_that_is_no_customer_list_is_refused_with_a_reason(signed_in, manager, content):
    page = upload(signed_in(manager), content)
    assert page.status_code == 422
    assert page.context["form"].errors["file"]


def test_what_is_confirmed_is_what_was_checked(signed_in, manager, administrator, account):
    client = signed_in(manager)
    checked = upload(client, GOOD).context["checked"]
    for forged in (checked[:-2] + "xx", "made up", ""):
        assert client.post(address(), {"checked": forged}).url == address()
    signed_in(administrator).post(address(), {"checked": checked})  # signed for the manager only
    assert not Customer.objects.exists()
    client.post(address(), {"checked": checked})
    assert Customer.objects.count() == 1


def test_importing_needs_its_permission(signed_in, alice, auditor, manager):
    for user, status in ((alice, 403), (auditor, 403), (manager, 200)):
        client = signed_in(user)
        assert client.get(address()).status_code == status
        listed = client.get(reverse("admin:surveys_customer_changelist")).content.decode()
        assert (address() in listed) == (status == 200)
