"""Run one sweep of the calendar now, in this process."""

from celery import current_app
from django.core.management.base import BaseCommand, CommandError

from surveys.management.commands.clock import task as find


class Command(BaseCommand):
    help = "Run one sweep of the calendar now, such as surveys.tasks.send_mail."

    def add_arguments(self, parser):
        parser.add_argument("task", help="The full name of the sweep.")

    def handle(self, *, task: str, **options):
        known = sorted({entry["task"] for entry in current_app.conf.beat_schedule.values()})
        if task not in known:
            raise CommandError(f"There is no sweep {task}. There are: {', '.join(known)}.")
        self.stdout.write(f"{task}: {find(task)()}")
