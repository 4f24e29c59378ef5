"""Two records of one customer or account become one, and nothing is lost on the way."""

from datetime import timedelta

import pytest
from django.db.models import ManyToOneRel, UniqueConstraint

from analysis import fold, report
from analysis.rollups import AccountMonth
from surveys.delivery import outcomes
from surveys.inbound.take_in import take_in
from surveys.loop import answer, ask, merge, recognise, unsubscribe
from surveys.loop.forget import forget
from surveys.models import (
    Account,
    AuditEntry,
    Customer,
    CustomerProperty,
    DeliveryEvent,
    Erasure,
    InboundMail,
    Invitation,
    Message,
    OutreachTask,
    Response,
    Suppression,
    Wave,
)
from tests.conftest import survey_of
from tests.surveys.inbound.mails import reply

WHY = "Same signature under both mails."


@pytest.fixture
def kept(account):
    return Customer.objects.create(
        account=account, name="Ines Okafor", email="ines@lakeside.example", external_id="A"
    )


@pytest.fixture
def other(account, now):
    return Customer.objects.create(
        name="I. Okafor",
        email="okafor@lakeside.example",
        phone="+49 30 901820",
        external_id="B",
        language="de",
        is_key_contact=True,
        created_at=now - timedelta(days=900),
    )


@pytest.fixture
def merged(kept, other, manager, now):
    def do(**more):
        return merge.merge_customers(kept, [other], manager, WHY, now, **more)

    return do


def invited(survey, customer, now, occasion="wave:7") -> Invitation:
    return ask.invite(survey, [customer], occasion, now)[0]


def answered(survey, customer, now, score=2, occasion="wave:7") -> Response:
    return answer.give(invited(survey, customer, now, occasion), score, "Late again.", now)[0]


def test_what_is_known_stays_and_what_is_not_is_taken_over(merged, kept, other, account, now):
    merged()
    kept.refresh_from_db()
    assert (kept.name, kept.email, kept.external_id, kept.account) == (
        "Ines Okafor", "ines@lakeside.example", "A", account,
    )  # fmt: skip
    assert (kept.phone, kept.language, kept.is_key_contact) == ("+49 30 901820", "de", True)
    assert kept.created_at == now - timedelta(days=900)


def test_the_duplicate_becomes_a_signpost(merged, kept, other, manager, now):
    merged()
    other.refresh_from_db()
    assert (other.merged_into, other.merged_at) == (kept, now)
    assert (other.email, other.external_id) == ("okafor@lakeside.example", "B")
    assert (other.name, other.phone, other.account, other.is_key_contact) == ("", "", None, False)
    assert list(Customer.objects.visible_to(manager)) == [kept]
    assert str(other) == f"Customer {other.pk}, merged into customer {kept.pk}"


def test_an_address_that_is_taken_over_leads_by_itself(kept, other, merged):
    Customer.objects.filter(pk=kept.pk).update(email=None)
    merged()
    assert Customer.objects.get(email="okafor@lakeside.example") == kept
    assert Customer.objects.get(pk=other.pk).email is None


def test_everything_that_hangs_on_the_duplicate_moves(
    merged, kept, other, nps, alice, now, account
):
    response = answered(nps, other, now)
    CustomerProperty.objects.create(customer=other, name="plan", value="Gold")
    take_in(reply(to=response.invitation.messages.get()), now)
    merged()
    assert [Invitation.objects.get().customer, Response.objects.get().customer] == [kept, kept]
    assert [OutreachTask.objects.get().customer, InboundMail.objects.get().customer] == [kept, kept]
    assert [(p.name, p.value) for p in kept.properties.all()] == [("plan", "Gold")]
    assert not any(rows.exists() for rows in merge._hanging_on(other))


def test_two_answers_of_one_occasion_both_stay_with_their_tasks(merged, kept, other, nps, now):
    first, second = answered(nps, kept, now, score=1), answered(nps, other, now, score=3)
    tasks = {task.pk: task.due_at for task in OutreachTask.objects.all()}
    merged()
    assert {r.pk: r.score for r in kept.responses.all()} == {first.pk: 1, second.pk: 3}
    assert {task.pk: task.due_at for task in kept.tasks.all()} == tasks
    assert [i.occasion for i in kept.invitations.order_by("pk")] == [
        "wave:7", f"wave:7, merged {other.pk}",
    ]  # fmt: skip
    assert ask.invite(nps, [kept], "wave:7", now) == [first.invitation]


def test_the_longest_occasion_has_room_for_the_mark(merged, kept, other, nps, now):
    for customer in (kept, other):
        invited(nps, customer, now, "x" * 160)
    merged()
    assert sorted(len(i.occasion) for i in kept.invitations.all()) == [160, 160]


def test_of_two_mails_about_one_occasion_one_goes_out(merged, kept, other, nps, now):
    ours, theirs = invited(nps, kept, now), invited(nps, other, now)
    merged()
    states = Message.objects.values_list("invitation", "state", "last_error")
    assert sorted(states) == sorted([
        (ours.pk, "queued", ""), (theirs.pk, "cancelled", merge.MERGED),
    ])  # fmt: skip


def test_a_mail_about_something_else_goes_out_to_the_one_who_stays(merged, kept, other, nps, now):
    invited(nps, other, now)
    merged()
    assert Message.objects.get().invitation.customer.email == kept.email
    assert Message.objects.get().state == "queued"


@pytest.mark.parametrize("whose", ["kept", "other"])
@pytest.mark.parametrize("reason", ["unsubscribed", "complained"])
def test_who_said_no_is_written_to_at_no_address(merged, kept, other, whose, reason, now):
    Suppression.add({"kept": kept, "other": other}[whose].email, reason, now)
    merged()
    stopped = {bytes(s.digest): s.reason for s in Suppression.objects.all()}
    assert stopped == {Suppression.hash(c.email): reason for c in (kept, other)}


def test_no_to_one_family_stays_no_to_that_family(merged, kept, other, nps, now):
    Suppression.add(other.email, "unsubscribed", now, nps.family)
    merged()
    assert Suppression.among([kept.email], nps) == {kept.email}
    assert Suppression.among([kept.email], survey_of("csat", name="Support")) == set()


def test_a_bounce_says_nothing_of_the_other_address(merged, kept, other, nps, now):
    Suppression.add(other.email, "bounced", now)
    merged()
    assert Suppression.among([kept.email, other.email], nps) == {other.email}


def test_a_property_known_of_both_keeps_the_value_of_the_one_who_stays(merged, kept, other):
    for customer, value in ((kept, "Gold"), (other, "Silver")):
        CustomerProperty.objects.create(customer=customer, name="plan", value=value)
    CustomerProperty.objects.create(customer=other, name="city", value="Bonn")
    merged()
    assert {p.name: p.value for p in CustomerProperty.objects.all()} == {
        "plan": "Gold", "city": "Bonn",
    }  # fmt: skip


def test_the_merge_is_recorded_without_names_and_addresses(merged, kept, other, nps, manager, now):
    task = answered(nps, other, now).task
    AuditEntry.objects.filter(verb="open").exists()
    merged()
    about = {
        (entry.noun, entry.noun_id): entry for entry in AuditEntry.objects.filter(verb="merge")
    }
    ours = about["customer", kept.pk]
    assert (ours.actor, ours.reason, ours.at) == (manager, WHY, now)
    assert ours.after == {
        "merged": [other.pk], "phone": "(personal)", "language": "de",
        "invitations": 1, "responses": 1, "outreach tasks": 1,
    }  # fmt: skip
    assert about["customer", other.pk].after == {"merged_into": kept.pk}
    moved = about["outreachtask", task.pk]
    assert (moved.before, moved.after) == ({"customer": other.pk}, {"customer": kept.pk})


def counted(now) -> tuple:
    """The report of the month, and all that the figures of any month are made of."""
    tasks = OutreachTask.objects.order_by("pk")
    return (
        report.figures(report.Filters(), now),
        list(
            Response.objects.order_by("pk").values("pk", "score", "band", "answered_at", "segment")
        ),
        list(tasks.values("pk", "state", "started_at", "due_at", "first_contact_at")),
        Invitation.objects.filter(decision="ask").count(),
    )


def test_every_rate_is_what_it_was(merged, kept, other, nps, now):
    for number, customer in enumerate([kept, other, kept, other]):
        answered(nps, customer, now - timedelta(days=9 * number), number * 3, f"wave:{number}")
    answered(nps, kept, now, 4, "wave:9")
    answered(nps, other, now, 5, "wave:9")
    before = counted(now)
    assert len(before[1]) == 6
    merged()
    assert counted(now) == before


def test_merging_again_leads_every_signpost_to_the_last_one(merged, kept, other, manager, now):
    merged()
    last = Customer.objects.create(name="Ines", email="io@lakeside.example")
    merge.merge_customers(last, [kept], manager, WHY, now)
    assert set(last.signposts.all()) == {kept, other}
    assert recognise.find(recognise.Person(external_id="B")) == last


def test_several_are_merged_at_once(kept, other, manager, now):
    third = Customer.objects.create(email="third@lakeside.example", segment="Retail")
    merge.merge_customers(kept, [other, third], manager, WHY, now)
    kept.refresh_from_db()
    assert (kept.phone, kept.segment) == ("+49 30 901820", "Retail")
    assert set(kept.signposts.all()) == {other, third}


def test_what_cannot_be_one_is_refused(kept, other, manager, now):
    def refused(first, others, why=WHY) -> str:
        with pytest.raises(merge.CannotMerge) as refusal:
            merge.merge_customers(first, others, manager, why, now)
        return str(refusal.value)

    assert "how you know" in refused(kept, [other], "  ")
    assert "two different" in refused(kept, [kept])
    assert "two different" in refused(kept, [])
    many = [Customer.objects.create() for _ in range(merge.MOST)]
    assert "At most 5" in refused(kept, many)
    forget(many[0], None, "", now)
    assert "forgotten" in refused(kept, [many[0]])
    merge.merge_customers(kept, [other], manager, WHY, now)
    assert "merged already" in refused(kept, [other])
    assert "merged already" in refused(other, [kept])


def test_the_preview_says_what_the_merge_then_does(merged, kept, other, nps, now):
    answered(nps, kept, now)
    answered(nps, other, now)
    Suppression.add(other.email, "unsubscribed", now)
    seen = merge.preview(kept, [other], now)
    fields = {winner.name: (winner.value, winner.lost) for winner in seen.fields}
    assert fields["name"] == ("Ines Okafor", ["I. Okafor"])
    assert fields["phone"] == ("+49 30 901820", [])
    assert dict(seen.moves) == {"invitations": 1, "responses": 1, "outreach tasks": 1}
    assert (seen.clashes, seen.stops) == (1, True)
    assert not AuditEntry.objects.filter(verb="merge").exists()
    merged()
    kept.refresh_from_db()
    assert {name: getattr(kept, name) for name in fields} == {n: v for n, (v, _) in fields.items()}


def test_other_systems_go_on_finding_the_one_who_stays(merged, kept, other, now):
    merged()
    person = recognise.Person(email="Okafor@lakeside.example", external_id="B", name="Somebody")
    assert recognise.find_or_create(person, now) == (kept, False)
    assert recognise.find(recognise.Person(email=kept.email, external_id="B")) == kept


def test_a_mail_from_the_old_address_is_from_the_one_who_stays(merged, kept, other, nps, now):
    invitation = invited(nps, other, now)
    mail = invitation.messages.get()
    merged()
    take_in(reply(to=mail, sender="okafor@lakeside.example"), now)
    assert InboundMail.objects.get().customer == kept


def test_a_link_sent_to_the_old_address_still_answers_and_unsubscribes(
    merged, kept, other, nps, now
):
    invitation = invited(nps, other, now)
    merged()
    fresh = Invitation.objects.get(pk=invitation.pk)
    assert answer.give(fresh, 9, "", now)[0].customer == kept
    assert unsubscribe.unsubscribe(fresh, now)
    assert Suppression.among([kept.email], nps) == {kept.email}


def test_a_complaint_about_a_mail_to_the_old_address_stops_the_new_one(
    merged, kept, other, nps, now
):
    message = invited(nps, other, now).messages.get()
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=now)
    merged()
    kind = DeliveryEvent.Kind.COMPLAINT
    outcomes.record(
        Message.objects.get(), kind, source="provider", event_id="1", to=other.email, now=now
    )
    assert Suppression.among([kept.email, other.email], nps) == {kept.email, other.email}


def test_forgetting_forgets_the_signposts_too(merged, kept, other, nps, now):
    AuditEntry.record("change", other, now, after={"segment": "Retail"})
    merged()
    forget(kept, None, "", now)
    other.refresh_from_db()
    assert (other.email, other.external_id, other.forgotten_at) == (None, None, now)
    assert {erasure.customer_id for erasure in Erasure.objects.all()} == {kept.pk, other.pk}
    assert Suppression.among(["okafor@lakeside.example"], nps)
    assert AuditEntry.objects.filter(noun="customer", noun_id=other.pk, erasure=None).count() == 1


def test_a_wave_does_not_ask_a_signpost(merged, kept, other, nps, now):
    merged()
    wave = Wave.objects.create(survey=nps, name="Spring")
    assert list(wave.audience(now)) == [kept]


def test_what_came_in_during_the_merge_is_moved_afterwards(merged, kept, other, nps, now):
    """As rows do whose statement read the duplicate before the merge and committed after it."""
    response = answered(nps, other, now)
    merged()
    Invitation.objects.update(customer=other)
    Response.objects.update(customer=other)
    OutreachTask.objects.update(customer=other)
    Suppression.add(other.email, "unsubscribed", now)
    later = now + timedelta(minutes=1)
    assert merge.follow_up(later) == 3
    assert merge.follow_up(later) == 0
    response.refresh_from_db()
    assert (response.customer, response.invitation.customer, response.task.customer) == (
        kept, kept, kept,
    )  # fmt: skip
    assert Suppression.among([kept.email], nps)


def test_what_was_merged_long_ago_is_looked_at_no_more(merged, now, django_assert_num_queries):
    merged()
    with django_assert_num_queries(2):
        assert merge.follow_up(now + timedelta(days=2)) == 0


def test_accounts_are_merged_with_their_customers(account, alice, bob, manager, nps, now, customer):
    twin = Account.objects.create(
        name="Lakeside Mills Ltd", owner=bob, external_id="L2", region="North", revenue=10
    )
    theirs = Customer.objects.create(account=twin, email="twin@lakeside.example")
    wave = Wave.objects.create(survey=nps, name="Spring", account=twin)
    task = answered(nps, theirs, now).task
    merge.merge_accounts(account, [twin], manager, WHY, now, move_tasks=False)
    account.refresh_from_db()
    assert (account.owner, account.region, account.revenue) == (alice, "North", 10)
    assert account.external_id == "L2"
    assert set(account.customers.all()) == {customer, theirs}
    task.refresh_from_db()
    wave.refresh_from_db()
    assert (task.owner, wave.account) == (bob, account)
    twin.refresh_from_db()
    assert (twin.name, twin.merged_into, twin.owner) == ("Lakeside Mills Ltd", account, None)
    assert list(Account.objects.visible_to(manager)) == [account]
    entry = AuditEntry.objects.get(verb="merge", noun_id=account.pk, noun="account")
    assert entry.after["customers"] == entry.after["waves"] == 1


def test_counts_by_account_follow_the_answers(account, bob, manager, nps, customer, now):
    """Both have answers of one month; before the merge they were counted by account."""
    twin = Account.objects.create(name="Lakeside Ltd", owner=bob, segment="Enterprise")
    theirs = Customer.objects.create(account=twin, email="twin@lakeside.example")
    for one in (customer, theirs):
        answered(nps, one, now)
    fold.fold_all()
    assert set(AccountMonth.objects.values_list("account", "detractors")) == {
        (account.pk, 1), (twin.pk, 1),
    }  # fmt: skip
    merge.merge_accounts(account, [twin], manager, WHY, now)
    fold.fold_all()
    assert list(AccountMonth.objects.values_list("account", "detractors")) == [(account.pk, 2)]


@pytest.mark.parametrize("model", [Account, Customer])
def test_no_table_can_clash_unseen(model):
    """A unique key over a foreign key to these would stop a merge: such tables move with care."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ManyToOneRel) or relation.one_to_one:
            continue
        key = relation.field
        if not key.db_constraint:
            continue
        constraints = relation.related_model._meta.constraints
        unique = [
            c for c in constraints if isinstance(c, UniqueConstraint) and key.name in c.fields
        ]
        together = [names for names in relation.related_model._meta.unique_together
                    if key.name in names]  # fmt: skip
        if unique or together or key.unique:
            assert relation.get_accessor_name() in merge.MOVED_WITH_CARE, relation
