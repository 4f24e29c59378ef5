"""Fault 47: a customer is forgotten while a mail to them, or about them, is on its way.

Either the mail had reached the server before, whole, or it is not sent. Real senders in processes
of their own stand still at each step meanwhile.
"""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from django.db import connection
from django.utils import timezone

from surveys.loop import answer, ask
from surveys.loop.forget import forget
from surveys.loop.press import press
from surveys.models import Message, OutreachTask, Response
from tests.faults.test_dying_senders import CERTAINLY_NOT_DELIVERED, PERHAPS_DELIVERED, stop
from tests.planted import COMMENT, NAME, found_in_a_dump, planted_customer
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(account):
    return planted_customer(account)


def go_on(process) -> None:
    """To its end: it may come by the same point again."""

    def has_ended() -> bool:
        process.send_signal(signal.SIGCONT)
        return process.poll() is not None

    assert eventually(has_ended)
    assert process.returncode == 0


@pytest.mark.parametrize("point", CERTAINLY_NOT_DELIVERED)
def test_before_the_hand_over_nothing_is_sent(sender, sink, mail, customer, point):
    process = stop(sender, sink, point)
    forget(customer, None, "", timezone.now())
    go_on(process)
    assert (sink.kept, Message.objects.get().state) == ([], "cancelled")
    assert found_in_a_dump() == set()


@pytest.mark.parametrize("point", PERHAPS_DELIVERED)
def test_after_it_the_mail_goes_out_whole_and_is_forgotten(sender, sink, mail, customer, point):
    process = stop(sender, sink, point)
    forget(customer, None, "", timezone.now())
    go_on(process)
    assert (len(sink.kept), Message.objects.get().state) == (1, "sent")
    assert found_in_a_dump() == set()


@pytest.mark.parametrize("point", ["rendered", "354"])
def test_a_sender_that_does_not_look_again_would_send_it(sender, sink, mail, customer, point):
    """The control: what keeps the mail back is the statement that hands it over."""
    process = stop(sender, sink, point, "--careless")
    forget(customer, None, "", timezone.now())
    go_on(process)
    assert len(sink.kept) == 1


@pytest.mark.parametrize("point", ["rendered", "354"])
def test_a_notice_to_a_colleague_is_kept_back_too(sender, sink, nps, customer, point):
    [asked] = ask.invite(nps, [customer], "test:1", timezone.now())
    answer.give(asked, 2, COMMENT, timezone.now())
    Message.objects.exclude(kind="task_opened").delete()
    process = stop(sender, sink, point)
    forget(customer, None, "", timezone.now())
    go_on(process)
    assert (sink.kept, Message.objects.get().state) == ([], "cancelled")


@pytest.mark.parametrize("point", ["handed", "dot"])
def test_a_sender_that_dies_then_leaves_no_word_either(sender, sink, mail, customer, point):
    process = stop(sender, sink, point)
    forget(customer, None, "", timezone.now())
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert found_in_a_dump() == set()


def test_who_answers_at_that_moment_is_forgotten_with_the_answer_or_finds_nothing(nps, account):
    """Many rounds of threads that start together, by each way an answer comes in."""
    for number, way in enumerate([at_once, in_steps] * 10):
        customer = planted_customer(account)
        [asked] = ask.invite(nps, [customer], f"test:{number}", timezone.now())
        together(partial(way, asked), partial(forget, customer, None, "", timezone.now()))
    assert not OutreachTask.objects.open().exists()
    assert not Message.objects.filter(state="queued").exists()
    assert found_in_a_dump() == set()


@pytest.mark.parametrize("step", ["at_once", "in_steps", "more"])
def test_a_page_that_was_open_meanwhile_adds_nothing(client, nps, customer, step):
    [asked] = ask.invite(nps, [customer], "test:1", timezone.now())
    given = answer.give(asked, 2, "", timezone.now())[0] if step == "more" else None
    forget(customer, None, "", timezone.now())
    if given:
        with pytest.raises(answer.CannotAnswer):
            answer.add(given, answer.More(comment=COMMENT), timezone.now())
    else:
        {"at_once": at_once, "in_steps": in_steps}[step](asked)
    assert Response.objects.filter(invitation=asked).count() == (1 if given else 0)
    assert found_in_a_dump() == set()


def test_an_answer_that_does_not_look_again_would_bring_the_words_back(nps, customer, monkeypatch):
    """The control of the two above."""
    [asked] = ask.invite(nps, [customer], "test:1", timezone.now())
    forget(customer, None, "", timezone.now())
    monkeypatch.setattr(answer, "_lock", lambda invitation: None)
    in_steps(asked)
    assert "flugelhorn" in found_in_a_dump()


def at_once(asked) -> None:
    press(asked.token(), 2, COMMENT, "en", "client", timezone.now())


def in_steps(asked) -> None:
    try:
        given, _ = answer.give(asked, 2, COMMENT, timezone.now())
        answer.add(given, answer.More(comment=f"{COMMENT} again"), timezone.now())
    except answer.CannotAnswer:
        return


def together(*jobs) -> None:
    gate = threading.Barrier(len(jobs))

    def run(job):
        try:
            gate.wait()
            job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(run, job) for job in jobs]:
            done.result()


def test_names_are_what_the_mails_would_have_said(sender, sink, mail):
    """The other control: sent in peace, the mail holds the name that was searched for."""
    assert sender().wait() == 0
    assert NAME.encode() in sink.kept[0][2]
    assert "quendoline" in found_in_a_dump()
