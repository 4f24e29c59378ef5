"""The door for the clock and the worker: each sweep is one call of a verb, and leaves a tick."""

from datetime import timedelta
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from surveys.delivery import chat, claim, doubt, send
from surveys.inbound import embedded, mailbox
from surveys.loop import (
    ask,
    compare,
    confirm,
    escalate,
    expire,
    forget_again,
    happen,
    merge,
    own,
    remind,
    seal,
    settle,
    silence,
    tell,
    write,
)  # fmt: skip
from surveys.models import Tick, database_now

ESCALATE = "escalate tasks"


@shared_task
def plan_waves() -> int:
    return _tick("plan waves", ask.plan(database_now()))


@shared_task
def settle_mails() -> int:
    return _tick("settle mails", settle.settle(database_now()))


@shared_task
def send_reminders() -> int:
    return _tick("send reminders", remind.remind(database_now()))


@shared_task
def tell_of_silence() -> int:
    return _tick("tell of silence", silence.tell_owners(database_now()))


@shared_task
def ask_after_events() -> int:
    return _tick("ask after events", happen.ask_after_events(database_now()))


@shared_task
def settle_owners() -> int:
    return _tick("settle owners", own.settle(database_now()))


@shared_task
def escalate_tasks() -> int:
    """The tick of the sweep before says how far back this one has to look."""
    last = Tick.objects.filter(name=ESCALATE).values_list("at", flat=True).first()
    return _tick(ESCALATE, escalate.escalate(database_now(), last))


@shared_task
def send_digests() -> int:
    return _tick("send digests", tell.digests(database_now()))


@shared_task
def confirm_closings() -> int:
    return _tick("confirm closings", confirm.ask(database_now()))


@shared_task
def tell_chats() -> int:
    return _tick("tell chats", chat.drain(timezone.now))


@shared_task
def send_mail() -> int:
    sent = send.drain(timezone.now)
    write.log_sent(database_now())
    return _tick("send mail", sent)


@shared_task
def free_abandoned_mail() -> int:
    return _tick("free abandoned mail", claim.free_abandoned(database_now()))


@shared_task
def read_mailbox() -> int:
    return _tick("read mailbox", mailbox.sweep(settings.INBOUND_URL, timezone.now))


@shared_task
def read_inbox() -> int:
    return _tick("read inbox", embedded.sweep(Path(settings.INBOX_DIR), timezone.now))


@shared_task
def settle_doubts() -> int:
    return _tick("settle doubts", doubt.reconcile(database_now()))


@shared_task
def seal_audit() -> int:
    return _tick("seal audit", seal.seal())


@shared_task
def follow_up_merges() -> int:
    return _tick("follow up merges", merge.follow_up(database_now()))


@shared_task
def compare_scores() -> int:
    return _tick("compare scores", compare.compare(database_now()))


@shared_task
def expire_once_a_day() -> int:
    """At the first hour that finds us awake, until a run has come to its end."""
    now = database_now()
    if Tick.objects.filter(name="expire", at__gt=now - timedelta(hours=20)).exists():
        return 0
    return _tick("expire", expire.expire(now))


@shared_task
def note_erasures() -> int:
    done = forget_again.note(settings.ERASURE_LOG, database_now())
    return _tick("note erasures", done)


def _tick(name: str, done: int) -> int:
    Tick.objects.update_or_create(name=name, defaults={"at": database_now()})
    return done
