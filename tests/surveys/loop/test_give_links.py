"""Links that somebody hands over: the same manners as for mails, but for the address."""

from datetime import timedelta

import pytest

from surveys.loop import answer, ask, forget, give_links, suppress, unsubscribe, waves
from surveys.models import (
    AuditEntry,
    Channel,
    Customer,
    Invitation,
    Message,
    Suppression,
    Survey,
    Wave,
)
from tests.conftest import survey_of

DAYS = timedelta(days=1)
pytestmark = pytest.mark.django_db
Reason = Suppression.Reason


@pytest.fixture
def without_address(account):
    return Customer.objects.create(account=account, name="Paul Adeyemi", phone="+15550100")


def decision(survey, customer, manager, at, **how) -> str:
    return give_links.for_customer(survey, customer, manager, at, **how)[0].decision


def test_a_link_is_given_without_any_mail(nps, customer, manager, now):
    invitation, is_new = give_links.for_customer(nps, customer, manager, now, product="Invoices")
    assert (invitation.decision, invitation.channel, is_new) == ("ask", "link", True)
    assert (invitation.link_given_at, invitation.send_at) == (now, now)
    assert invitation.expires_at == now + 30 * DAYS
    assert (invitation.product, invitation.occasion) == ("Invoices", "link:2026-03-10")
    assert not Message.objects.exists()


def test_who_has_no_address_gets_a_link_too(nps, without_address, manager, now):
    assert decision(nps, without_address, manager, now) == "ask"


def test_the_same_link_is_given_while_it_can_be_answered(nps, customer, manager, now):
    first, _ = give_links.for_customer(nps, customer, manager, now)
    later, is_new = give_links.for_customer(nps, customer, manager, now + 20 * DAYS)
    assert (later, is_new) == (first, False)
    assert (later.link_given_at, later.expires_at) == (now, now + 30 * DAYS)
    after = give_links.for_customer(nps, customer, manager, now + 31 * DAYS)
    assert (after[0] != first, after[0].decision, after[1]) == (True, "ask", True)


def test_the_link_of_an_open_mail_is_given_instead_of_a_second_one(nps, customer, manager, now):
    [mailed] = ask.invite(nps, [customer], "ticket:1", now)
    given, is_new = give_links.for_customer(nps, customer, manager, now + DAYS)
    assert (given, is_new) == (mailed, False)
    assert (given.channel, given.link_given_at) == ("mail", now + DAYS)
    assert (given.send_at, given.expires_at) == (mailed.send_at, mailed.expires_at)


def test_an_occasion_asks_once(nps, customer, manager, now):
    first, _ = give_links.for_customer(nps, customer, manager, now, occasion="visit:7")
    again, is_new = give_links.for_customer(nps, customer, manager, now + DAYS, occasion="visit:7")
    assert (again, is_new) == (first, False)
    other = decision(nps, customer, manager, now + DAYS, occasion="visit:8")
    assert other == "throttled"
    assert Invitation.objects.count() == 2


def test_links_and_mails_keep_their_distance_from_each_other(nps, customer, manager, now):
    csat = survey_of("csat", name="After a visit")
    give_links.for_customer(nps, customer, manager, now)
    [mailed] = ask.invite(csat, [customer], "ticket:1", now + 2 * DAYS)
    assert (mailed.decision, mailed.throttled_by) == ("throttled", "global")
    assert decision(csat, customer, manager, now + 8 * DAYS) == "ask"
    refused, _ = give_links.for_customer(nps, customer, manager, now + 8.5 * DAYS, occasion="x")
    assert (refused.decision, refused.link_given_at) == ("throttled", None)


@pytest.mark.parametrize(
    ("reason", "said"),
    [(Reason.UNSUBSCRIBED, "suppressed"), (Reason.COMPLAINED, "suppressed"),
     (Reason.BOUNCED, "ask")],
)  # fmt: skip
def test_an_opt_out_holds_on_every_channel_and_a_bounce_on_mails_only(
    nps, customer, manager, now, reason, said
):
    suppress.suppress(customer.email, reason, now)
    assert decision(nps, customer, manager, now) == said


def test_who_opts_out_after_a_bounce_gets_no_link(nps, customer, manager, now):
    suppress.suppress(customer.email, Reason.BOUNCED, now)
    invitation, _ = give_links.for_customer(nps, customer, manager, now)
    assert unsubscribe.unsubscribe(invitation, now, everything=True)
    assert Suppression.objects.get().reason == Reason.UNSUBSCRIBED
    suppress.suppress(customer.email, Reason.BOUNCED, now + DAYS)
    assert Suppression.objects.get().reason == Reason.UNSUBSCRIBED
    assert decision(nps, customer, manager, now + 31 * DAYS) == "suppressed"


def test_no_link_is_given_to_what_cannot_be_answered(nps, customer, manager, now):
    [asked] = ask.invite(nps, [customer], "ticket:1", now)
    rows = Invitation.objects.all()
    assert [*give_links.in_batches(rows, manager, asked.expires_at)] == []
    answer.give(asked, 9, "", now)
    assert [*give_links.in_batches(rows, manager, now)] == []
    asked.response.verdict = "machine"
    asked.response.save()
    Survey.objects.update(is_open=False)
    assert [*give_links.in_batches(rows, manager, now)] == []
    Survey.objects.update(is_open=True)
    assert [*give_links.in_batches(rows, manager, now)] == [asked]
    Survey.objects.update(is_open=False)
    nps.refresh_from_db()
    with pytest.raises(ask.SurveyClosed):
        give_links.for_customer(nps, customer, manager, now)


@pytest.fixture
def wave(nps, manager, customer, without_address, now):
    wave = Wave.objects.create(survey=nps, name="By text message", channel=Channel.LINK)
    ask.launch(wave, manager, now)
    ask.plan(now)
    return wave


def test_a_wave_of_links_sends_nothing_and_needs_no_address(wave, customer, without_address, now):
    rows = wave.invitations.order_by("pk")
    assert [(row.customer, row.decision, row.channel, row.send_at) for row in rows] == [
        (customer, "ask", "link", now),
        (without_address, "ask", "link", now),
    ]
    assert not Message.objects.exists()
    assert {row.link_given_at for row in rows} == {None}


def test_a_link_is_good_from_the_day_it_is_given(wave, manager, now):
    given = [*give_links.in_batches(wave.invitations.all(), manager, now + 3 * DAYS)]
    assert [(row.link_given_at, row.expires_at) for row in given] == [
        (now + 3 * DAYS, now + 33 * DAYS)
    ] * 2
    again = [*give_links.in_batches(wave.invitations.all(), manager, now + 5 * DAYS)]
    assert [(row.link_given_at, row.expires_at) for row in again] == [
        (now + 3 * DAYS, now + 33 * DAYS)
    ] * 2


def test_a_stopped_wave_gives_no_links_and_those_it_never_gave_bothered_nobody(
    wave, nps, customer, without_address, manager, now
):
    [*give_links.in_batches(wave.invitations.filter(customer=customer), manager, now)]
    waves.stop(wave, manager, now)
    assert [*give_links.in_batches(wave.invitations.all(), manager, now)] == []
    assert decision(nps, customer, manager, now, occasion="visit:1") == "throttled"
    assert decision(nps, without_address, manager, now, occasion="visit:1") == "ask"


def test_giving_links_of_a_mailed_wave_asks_those_without_an_address(
    nps, customer, without_address, manager, now
):
    wave = Wave.objects.create(survey=nps, name="By mail")
    ask.launch(wave, manager, now)
    ask.plan(now)
    left_out = wave.invitations.get(customer=without_address)
    assert left_out.decision == "no_address"
    given = [*give_links.in_batches(wave.invitations.all(), manager, now + DAYS)]
    assert [(row.customer, row.channel, row.link_given_at) for row in given] == [
        (customer, "mail", now + DAYS),
        (without_address, "link", now + DAYS),
    ]
    entry = AuditEntry.objects.get(verb="decide")
    assert (entry.noun_id, entry.actor) == (left_out.pk, manager)
    assert (entry.before, entry.after) == (
        {"decision": "no_address"},
        {"decision": "ask", "channel": "link"},
    )


def test_whoever_opted_out_stays_left_out_of_what_is_given(nps, customer, manager, now):
    suppress.suppress(customer.email, Reason.UNSUBSCRIBED, now)
    ask.invite(nps, [customer], "ticket:1", now)
    assert [*give_links.in_batches(Invitation.objects.all(), manager, now)] == []
    assert not AuditEntry.objects.exists()


def test_the_forgotten_are_asked_no_more(nps, customer, without_address, manager, now):
    ask.invite(nps, [customer, without_address], "fair:1", now)
    for one in (customer, without_address):
        forget.forget(one, manager, "They asked for it.", now)
    assert [*give_links.in_batches(Invitation.objects.all(), manager, now)] == []
    imported = Customer.objects.create(name="Ines Okafor", email="ines@lakeside.example")
    assert decision(nps, imported, manager, now) == "suppressed"


def test_long_selections_are_given_in_batches(nps, account, manager, now, monkeypatch):
    monkeypatch.setattr(give_links, "BATCH", 2)
    people = [Customer.objects.create(account=account, name=f"C{i}") for i in range(5)]
    ask.invite(nps, people, "fair:1", now, channel=Channel.LINK)
    assert len([*give_links.in_batches(Invitation.objects.all(), manager, now)]) == 5
    assert Invitation.objects.filter(link_given_at=now).count() == 5
