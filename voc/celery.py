"""The calendar of sweeps, in the order of the loop, for `celery beat` and `manage.py clock`.

A sweep finds in PostgreSQL what is due and does it; running it twice, or at once in two places,
does nothing twice. So the broker may lose every message: the next tick finds the same rows.
"""

import logging.config
import os

from celery import Celery, signals
from celery.app.utils import Settings
from celery.schedules import crontab
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voc.settings")

app = Celery("voc")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

TICK = 5.0  # seconds
UNTIL_NEXT = {"expires": 2 * TICK}  # a worker that was down need not catch up on old ticks

app.conf.beat_schedule = {
    # ask
    "plan waves": {"task": "surveys.tasks.plan_waves", "schedule": TICK, "options": UNTIL_NEXT},
    "settle mails": {"task": "surveys.tasks.settle_mails", "schedule": TICK, "options": UNTIL_NEXT},
    "ask after events": {
        "task": "surveys.tasks.ask_after_events",
        "schedule": TICK,
        "options": UNTIL_NEXT,
    },
    "send reminders": {"task": "surveys.tasks.send_reminders", "schedule": crontab(minute="*/10")},
    "tell of silence": {"task": "surveys.tasks.tell_of_silence", "schedule": crontab(minute="20")},
    # reach out: whose task it is, what the morning brings, and what is escalated
    "settle owners": {
        "task": "surveys.tasks.settle_owners",
        "schedule": TICK,
        "options": UNTIL_NEXT,
    },
    "escalate tasks": {
        "task": "surveys.tasks.escalate_tasks",
        "schedule": 2 * TICK,
        "options": UNTIL_NEXT,
    },
    "send digests": {
        "task": "surveys.tasks.send_digests",
        "schedule": 4 * TICK,
        "options": UNTIL_NEXT,
    },
    "confirm closings": {
        "task": "surveys.tasks.confirm_closings",
        "schedule": 2 * TICK,
        "options": UNTIL_NEXT,
    },
    "tell chats": {"task": "surveys.tasks.tell_chats", "schedule": TICK, "options": UNTIL_NEXT},
    # every promise made to the outbox
    "send mail": {"task": "surveys.tasks.send_mail", "schedule": TICK, "options": UNTIL_NEXT},
    "free abandoned mail": {
        "task": "surveys.tasks.free_abandoned_mail",
        "schedule": 1.0,  # a dead sender's mails are taken over within 2 seconds
        "options": UNTIL_NEXT | {"queue": "reaper"},  # and never waits behind a long sweep
    },
    "settle doubts": {
        "task": "surveys.tasks.settle_doubts",
        "schedule": TICK,
        "options": UNTIL_NEXT,
    },
    # keep nothing longer than promised
    "expire": {"task": "surveys.tasks.expire_once_a_day", "schedule": crontab(minute="40")},
    # nothing of it is urgent
    "seal audit": {
        "task": "surveys.tasks.seal_audit",
        "schedule": 6 * TICK,
        "options": UNTIL_NEXT,
    },
    "follow up merges": {
        "task": "surveys.tasks.follow_up_merges",
        "schedule": 2 * TICK,
        "options": UNTIL_NEXT,
    },
    "compare scores": {"task": "surveys.tasks.compare_scores", "schedule": crontab(minute="50")},
    # count what the reports say
    "fold rollups": {
        "task": "analysis.tasks.fold_rollups",
        "schedule": TICK,
        "options": UNTIL_NEXT,
    },
    # read the comments: once a day, at 3 o'clock or at the first hour after it that finds us awake
    "learn themes": {
        "task": "analysis.tasks.learn_themes",
        "schedule": crontab(minute="10"),
        "options": {"queue": "themes"},
    },
}


@app.on_after_configure.connect
def read_what_comes_in(source: Settings, **_: object) -> None:
    """Only where there is something to read. A mailbox may take its time, so not at every tick."""
    if settings.INBOUND_URL:
        every_minute = {"task": "surveys.tasks.read_mailbox", "schedule": crontab(minute="*")}
        source.beat_schedule["read mailbox"] = every_minute
    if settings.EMBEDDED and settings.INBOX_DIR:
        entry = {"task": "surveys.tasks.read_inbox", "schedule": TICK, "options": UNTIL_NEXT}
        source.beat_schedule["read inbox"] = entry


@app.on_after_configure.connect
def note_erasures(source: Settings, **_: object) -> None:
    """Only where a file outlives the database."""
    if settings.ERASURE_LOG:
        entry = {"task": "surveys.tasks.note_erasures", "schedule": TICK, "options": UNTIL_NEXT}
        source.beat_schedule["note erasures"] = entry


@signals.setup_logging.connect
def log_as_the_web_process_does(**_: object) -> None:
    """Celery would put up handlers of its own, which mask neither survey links nor addresses."""
    logging.config.dictConfig(settings.LOGGING)
