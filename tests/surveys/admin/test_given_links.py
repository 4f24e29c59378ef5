"""Links to hand over, as a file for those who may plan waves."""

import csv
import io

import pytest
from django.urls import reverse

from surveys.loop import answer, ask, suppress
from surveys.models import (
    Account,
    AuditEntry,
    Channel,
    Customer,
    Invitation,
    Message,
    Suppression,
    Wave,
)

LIST = reverse("admin:surveys_invitation_changelist")
FILE = reverse("admin:surveys_invitation_links")


@pytest.fixture
def without_address(account):
    return Customer.objects.create(account=account, name="=Paul()", phone="+15550100")


@pytest.fixture
def wave(nps, customer, without_address, manager, now):
    wave = Wave.objects.create(survey=nps, name="By text message", channel=Channel.LINK)
    ask.launch(wave, manager, now)
    ask.plan(now)
    wave.refresh_from_db()
    return wave


def page_of(wave, page="change") -> str:
    return reverse(f"admin:surveys_wave_{page}", args=[wave.pk])


def lines(response) -> list[dict]:
    assert response.status_code == 200, response
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="links.csv"' in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    text = response.getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_links_of_a_wave_are_a_file(signed_in, manager, wave, customer, client, now):
    first, second = lines(signed_in(manager).post(page_of(wave, "links")))
    invitation = wave.invitations.get(customer=customer)
    assert first == {
        "customer": "Ines Okafor",
        "email": "ines@lakeside.example",
        "phone": "",
        "language": "en",
        "account": "Lakeside Mills",
        "owner": "Alice",
        "survey": "Relationship",
        "product": "Delivery",
        "wave": "By text message",
        "link": f"http://testserver/a/{invitation.token()}",
        "valid_until": invitation.expires_at.isoformat(timespec="seconds"),
    }
    assert (second["customer"], second["phone"]) == ("'=Paul()", "'+15550100")
    assert client.get(second["link"].removeprefix("http://testserver")).status_code == 200
    assert not Invitation.objects.filter(link_given_at=None).exists()


def test_each_download_is_in_the_audit(signed_in, manager, wave):
    client = signed_in(manager)
    lines(client.post(page_of(wave, "links")))
    lines(client.post(FILE + f"?wave={wave.pk}&tab=given"))
    by_wave, by_list = AuditEntry.objects.filter(verb="give links").order_by("pk")
    assert (by_wave.noun, by_wave.noun_id, by_wave.actor) == ("wave", wave.pk, manager)
    assert by_wave.after == {"invitations": 2, "filters": {}}
    assert (by_list.noun, by_list.noun_id) == ("user", manager.pk)
    assert by_list.after["filters"] == {"wave": str(wave.pk), "tab": "given"}


def test_looking_gives_nothing(signed_in, manager, wave):
    client = signed_in(manager)
    for address in (page_of(wave, "links"), FILE):
        assert client.get(address).status_code == 302
    assert not AuditEntry.objects.filter(verb="give links").exists()
    assert Invitation.objects.filter(link_given_at=None).count() == 2


@pytest.mark.parametrize("who", ["auditor", "lead", "alice", "product"])
def test_only_those_who_may_plan_waves_get_links(signed_in, request, wave, who):
    client = signed_in(request.getfixturevalue(who))
    for address in (page_of(wave, "links"), FILE):
        assert client.post(address).status_code == 403
    assert "Download links" not in client.get(LIST).content.decode()
    assert Invitation.objects.filter(link_given_at=None).count() == 2


def test_the_file_holds_what_the_list_shows(
    signed_in, manager, nps, customer, without_address, now
):
    gone = Customer.objects.create(name="Left Us", email="left@lakeside.example")
    suppress.suppress(gone.email, Suppression.Reason.UNSUBSCRIBED, now)
    glad = Customer.objects.create(name="Glad", email="glad@lakeside.example")
    invitations = ask.invite(nps, [customer, without_address, gone, glad], "fair:1", now)
    answer.give(next(one for one in invitations if one.customer == glad), 9, "", now)
    client = signed_in(manager)
    found = {row["customer"]: row["valid_until"] for row in lines(client.post(FILE))}
    assert set(found) == {"Ines Okafor", "'=Paul()"}
    only = lines(client.post(FILE + "?q=ines"))
    assert [row["customer"] for row in only] == ["Ines Okafor"]


def test_a_list_knows_who_has_a_link_and_no_answer_yet(signed_in, manager, wave, customer, now):
    client = signed_in(manager)
    page = client.get(LIST, {"tab": "given"})
    assert page.context["cl"].result_count == 0
    assert "Every link that was handed over has been answered." in page.content.decode()
    lines(client.post(page_of(wave, "links")))
    answer.give(wave.invitations.get(customer=customer), 9, "", now)
    rows = client.get(LIST, {"tab": "given"}).context["cl"].result_list
    assert [row.customer.name for row in rows] == ["=Paul()"]
    said = client.get(LIST, {"channel": "link"}).content.decode()
    assert "Link handed over" in said


def test_a_wave_of_links_says_how_it_goes(signed_in, manager, wave, customer, now):
    client = signed_in(manager)
    said = client.get(page_of(wave)).content.decode()
    assert "Download links to hand over" in said
    assert "Remind those" not in said
    assert "The mail</h2>" not in said
    assert "Spread days" not in said
    lines(client.post(page_of(wave, "links")))
    answer.give(wave.invitations.get(customer=customer), 9, "", now)
    figures = client.get(page_of(wave)).context["figures"]
    assert figures == [("Asked", 2, ""), ("Links handed over", 2, ""), ("Answered", 1, "green")]
    assert not Message.objects.filter(kind="invitation").exists()


def test_a_draft_of_links_says_that_nobody_is_mailed(signed_in, manager, nps, customer):
    draft = Wave.objects.create(survey=nps, name="Draft", channel=Channel.LINK)
    client = signed_in(manager)
    said = client.get(page_of(draft)).content.decode()
    assert "Nobody is mailed." in said
    launched = client.post(page_of(draft, "launch"), follow=True).content.decode()
    assert "Download its links here in a moment." in launched


def test_what_only_mails_have_is_refused_for_links(signed_in, manager, nps):
    client = signed_in(manager)
    form = {"survey": nps.pk, "name": "Links", "channel": "link", "spread_days": "3"}
    refused = client.post(reverse("admin:surveys_wave_add"), form)
    assert "Nothing is sent by this wave" in refused.content.decode()
    client.post(reverse("admin:surveys_wave_add"), form | {"spread_days": "1"})
    assert Wave.objects.get().channel == "link"


def test_what_sends_nothing_is_not_spread(signed_in, manager, nps):
    draft = Wave.objects.create(survey=nps, name="Draft", channel=Channel.LINK)
    page = signed_in(manager).post(page_of(draft, "spread"), {"days": "5"}, follow=True)
    assert "nothing is spread" in page.content.decode()
    draft.refresh_from_db()
    assert draft.spread_days == 1


def test_links_stay_within_the_readers_horizon(signed_in, manager, nps, bob, customer, now):
    """Those who may download see every account, so the file is held to the list it belongs to."""
    theirs = Customer.objects.create(
        name="Theirs", account=Account.objects.create(name="Foothill", owner=bob)
    )
    ask.invite(nps, [customer, theirs], "fair:1", now, channel=Channel.LINK)
    rows = lines(signed_in(manager).post(FILE + f"?customer_account_owner={bob.pk}"))
    assert [row["customer"] for row in rows] == ["Theirs"]
