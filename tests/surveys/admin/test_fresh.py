import re

import pytest

from surveys.models import Account, AuditEntry


@pytest.fixture
def form(signed_in, manager, account):
    """The account's form as it stands now: its address, and what it would send."""
    client = signed_in(manager)
    page = client.get(f"/admin/surveys/account/{account.pk}/change/")
    fields = page.context["adminform"].form
    values = {
        name: fields.get_initial_for_field(fields.fields[name], name) for name in fields.fields
    }
    action = re.search(r'action="(\?seen=\d+)"', page.text)[1]
    data = {name: "" if value is None else value for name, value in values.items()}
    for formset in page.context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    return client, page.request["PATH_INFO"] + action, data


def save(form, **changed):
    client, address, data = form
    return client.post(address, data | changed)


def test_a_form_that_nobody_overtook_is_saved(form, account):
    assert save(form, name="Lakeside Mill").status_code == 302
    assert Account.objects.get().name == "Lakeside Mill"


def test_a_stale_form_is_refused_with_the_others_change_and_keeps_what_was_typed(
    form, account, administrator, now
):
    Account.objects.update(segment="Public")
    AuditEntry.record(
        "change", account, now, actor=administrator,
        before={"segment": "Enterprise"}, after={"segment": "Public"},
    )  # fmt: skip
    page = save(form, name="Lakeside Mill")
    assert page.status_code == 200
    for words in ("Administrator", "Enterprise → Public", "Nothing was saved", "Lakeside Mill"):
        assert words in page.text
    fresh = Account.objects.get()
    assert (fresh.name, fresh.segment) == ("Lakeside Mills", "Public")


def test_saving_again_after_the_look_goes_through(form, account, administrator, now):
    AuditEntry.record(
        "change", account, now, actor=administrator, before={"region": ""}, after={"region": "EU"}
    )
    client, address, data = form
    page = save(form, name="Lakeside Mill")
    again = re.search(r'action="(\?seen=\d+)"', page.text)[1]
    assert client.post(address.partition("?")[0] + again, data).status_code == 302


def test_what_changes_no_field_stands_in_nobodys_way(form, account, administrator, now):
    AuditEntry.record("export", account, now, actor=administrator, after={"rows": 3})
    assert save(form, name="Lakeside Mill").status_code == 302
