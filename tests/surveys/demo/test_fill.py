from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q
from django.test.utils import CaptureQueriesContext

from surveys.delivery import claim
from surveys.demo import cast as casting
from surveys.demo import live, story
from surveys.demo.company import PASSWORD, STAFF
from surveys.demo.fill import NotEmpty, fill
from surveys.demo.history import History
from surveys.loop import ask, escalate, own, silence, tell
from surveys.models import (
    DEADLINE,
    Account,
    AuditEntry,
    Contact,
    Customer,
    Event,
    Invitation,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Suppression,
    Survey,
    User,
    Visit,
    Wave,
)
from tests.conftest import NOW


def table(queryset, *fields):
    return list(queryset.order_by(*fields).values_list(*fields))


TASK_FIELDS = (
    "started_at", "customer__external_id", "due_at", "owner__email", "state", "first_contact_at",
    "closed_at", "root_cause__name", "outcome", "action", "version",
)  # fmt: skip
RESPONSE_FIELDS = (
    "answered_at", "customer__external_id", "score", "band", "comment", "language", "product",
    "segment", "kind", "source", "verdict", "survey__name", "external_id",
)  # fmt: skip


@pytest.mark.django_db
class TestTheWholeDemo:
    def test_counts_states_and_constraints(self):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            counts = fill(NOW)
        assert len(queries) < 600  # in bulk: some 25,000 rows
        assert counts["customers"] == Customer.objects.count() == 300
        assert Account.objects.count() == 40
        assert 2_500 <= counts["answers"] <= 3_500
        assert User.objects.count() == len(STAFF)

        self.every_survey_is_ready_to_be_answered()
        self.every_answer_is_whole()
        self.every_task_is_whole()
        self.a_machine_was_caught()
        self.the_queue_has_every_state()
        self.what_waits_is_what_a_newcomer_should_see()

    def every_survey_is_ready_to_be_answered(self):
        for survey in Survey.objects.select_related("brand"):
            survey.brand.full_clean()
            keys = {tuple(dict(wording.choices)) for wording in survey.wordings.all()}
            assert len(keys) == 1
            for wording in survey.wordings.all():
                wording.full_clean()
                assert wording.promoter_question != wording.detractor_question

    def every_answer_is_whole(self):
        invited = Response.objects.filter(source="invited")
        assert invited.filter(invitation__expires_at__lt=F("answered_at")).count() == 0
        assert invited.exclude(invitation__decision="ask").count() == 0
        versioned = Response.objects.exclude(source="imported")
        assert ResponseVersion.objects.filter(number=1).count() == versioned.count()
        assert Response.objects.filter(source="imported").exclude(customer=None).count() == 0
        for invitation in Invitation.objects.all()[:20]:
            assert Invitation.objects.by_token(invitation.token()).get() == invitation

    def a_machine_was_caught(self):
        caught = Response.objects.filter(verdict="machine", task=None)
        assert [response.signs for response in caught] == [["too_fast", "hidden_link"]] * 3
        assert Visit.objects.filter(what="hidden_link").count() == 3

    def every_task_is_whole(self):
        bad = Response.objects.counted().filter(band="detractor", source="invited")
        assert OutreachTask.objects.filter(cause="contact_wish").count() == 2
        tasks = OutreachTask.objects.filter(cause="detractor")
        assert tasks.count() == bad.count() > 200
        assert tasks.exclude(due_at=F("started_at") + DEADLINE).count() == 0
        reached = Q(contacts__outcome__in=Contact.REACHED)
        counted = tasks.annotate(hits=Count("contacts", filter=reached), tries=Count("contacts"))
        assert counted.filter(hits=0).exclude(first_contact_at=None).count() == 0
        assert counted.filter(hits__gt=0, first_contact_at=None).count() == 0
        assert counted.filter(outcome="no_reply", tries__lt=3).count() == 0
        closes = AuditEntry.objects.filter(verb="close", noun="outreachtask")
        assert closes.count() == tasks.filter(state="closed").count()

    def the_queue_has_every_state(self):
        queue = OutreachTask.objects.open()
        fresh = queue.filter(first_contact_at=None)
        hours = sorted(task.time_left(NOW).total_seconds() / 3600 for task in fresh)
        assert hours[0] < -100  # five days overdue
        assert any(-30 < left < 0 for left in hours)
        assert any(0 < left < 4 for left in hours)
        assert any(left > 65 for left in hours)
        assert queue.filter(owner=None).exists()
        assert queue.exclude(first_contact_at=None).exists()

    def what_waits_is_what_a_newcomer_should_see(self):
        sent = Message.objects.filter(state="sent").first()
        assert sent.message_id == claim.message_id(sent)
        queued = Message.objects.filter(state="queued")
        assert queued.filter(kind="invitation").count() == 5
        assert (
            queued.filter(kind="task_opened").exclude(task__started_at__gte=NOW - DEADLINE).count()
            == 0
        )
        assert Message.objects.filter(kind="contact_silent", state="sent").count() > 10
        assert silence.tell_owners(NOW) == 0
        assert Wave.objects.filter(state="draft").count() == 1
        assert Suppression.objects.count() == 2
        outcomes = Counter(Event.objects.values_list("outcome", flat=True))
        assert outcomes == {"decided": 40, "waiting": 4, "superseded": 1, "no_trigger": 2}
        assert Event.objects.waiting().filter(ask_at__lte=NOW).count() == 0
        assert {str(event.invitation.survey) for event in Event.objects.filter(outcome="decided")
                .select_related("invitation__survey")} == {"CSAT after a ticket"}  # fmt: skip

    def test_what_was_overdue_before_floods_nobody(self):
        fill(NOW)
        overdue = OutreachTask.objects.overdue(NOW)
        assert set(overdue.values_list("level", flat=True)) <= {3, 4}
        assert overdue.exists()
        before = Message.objects.count()
        assert escalate.escalate(NOW) == 0
        assert own.settle(NOW) == 0
        assert tell.digests(NOW + timedelta(hours=3)) <= 4
        assert Message.objects.count() - before <= 4
        assert 0 < escalate.escalate(NOW + timedelta(hours=12)) < 10

    def test_the_same_seed_gives_the_same_data(self):
        fill(NOW)
        before = (
            table(Response.objects, *RESPONSE_FIELDS),
            table(OutreachTask.objects, *TASK_FIELDS),
        )
        empty()
        fill(NOW)
        after = table(Response.objects, *RESPONSE_FIELDS), table(OutreachTask.objects, *TASK_FIELDS)
        assert before == after

    def test_it_fills_only_an_empty_database(self):
        Customer.objects.create(name="Somebody's own")
        with pytest.raises(NotEmpty, match="data of its own"):
            fill(NOW)
        assert User.objects.count() == 0


def empty():
    with connection.cursor() as cursor:
        tables = [t for t in connection.introspection.table_names() if t.startswith("surveys_")]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")


@pytest.mark.django_db
def test_history_in_bulk_is_what_the_verbs_would_have_written(settings):
    settings.GLOBAL_THROTTLE_DAYS = 0  # the history is older than this rule
    asked = some_of_everything()
    cast = casting.enter(NOW)
    History(cast, NOW, lambda line: None).write(asked)
    in_bulk = everything()
    empty()

    cast = casting.enter(NOW)
    for number, one in enumerate(asked):
        survey, row = cast.surveys[one.kind], cast.customers[one.customer.external_id]
        occasion = f"helpdesk:T-{10_000 + number}"
        [invitation] = ask.invite(survey, [row], occasion, one.at, product=one.product)
        if one.answer is not None:
            live.play(one, invitation, cast)
    assert in_bulk == everything()
    assert len(in_bulk["tasks"]) > 30


def some_of_everything() -> list[story.Asked]:
    """Tickets with and without an answer or address, and the richest of the follow-ups; one for
    each customer, whom the throttles would otherwise spare."""
    tickets = [one for one in story.tell(NOW).asked if one.wave is None]
    worked = [one for one in tickets if one.followup is not None]
    nobodys = {one.key for one in story.ACCOUNTS.values() if not one.owner}
    taken = [one for one in worked if one.customer.account in nobodys]
    no_reply = [
        one for one in worked if one.followup.closing and one.followup.closing.outcome == "no_reply"
    ]
    unreachable = [one for one in tickets if not one.customer.email]
    chosen = [
        *tickets[:40],
        *worked[:20],
        *worked[-15:],
        *taken[:3],
        *no_reply[:2],
        *unreachable[:2],
    ]
    assert taken
    assert no_reply
    once = {one.customer.external_id: one for one in reversed(chosen)}
    return sorted(once.values(), key=lambda one: one.at)


def everything() -> dict[str, list]:
    return {
        "invitations": table(
            Invitation.objects, "created_at", "customer__external_id", "occasion", "product",
            "language", "decision", "send_at", "expires_at", "wave",
        ),
        "responses": table(Response.objects, *RESPONSE_FIELDS),
        "versions": table(ResponseVersion.objects, "recorded_at", "number", "score", "comment"),
        "tasks": table(OutreachTask.objects, *TASK_FIELDS),
        "contacts": table(
            Contact.objects, "logged_at", "user__email", "channel", "outcome", "note"
        ),
        "messages": table(
            Message.objects, "created_at", "kind", "next_at", "user__email",
            "invitation__occasion", "task__started_at",
        ),
        "audit": sorted(
            (entry.at, entry.verb, entry.noun, entry.actor and entry.actor.email, entry.reason,
             sorted(entry.after), sorted(entry.before))
            for entry in AuditEntry.objects.select_related("actor")
        ),
    }  # fmt: skip


@pytest.mark.django_db
def test_the_command_says_who_can_log_in():
    out = StringIO()
    call_command("demo", logins=True, stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == len(STAFF)
    assert lines[0].split() == ["robin@larkfield.example", PASSWORD, "administrator"]


@pytest.mark.django_db
def test_a_second_run_of_the_command_changes_nothing_and_succeeds():
    first, second = StringIO(), StringIO()
    call_command("demo", stdout=first)
    answers = Response.objects.count()
    call_command("demo", stdout=second)
    assert first.getvalue().splitlines()[-1] == (
        f"The demo is ready: 300 customers, {Invitation.objects.count() - 5:,} invitations, "
        f"{answers:,} answers."
    )
    assert second.getvalue() == "The demo is already there.\n"
    assert Response.objects.count() == answers
    user = User.objects.get(email="tessa@larkfield.example")
    assert user.check_password(PASSWORD)
