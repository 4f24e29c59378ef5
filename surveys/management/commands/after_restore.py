"""After a backup was restored: hold back what may have been sent since."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from surveys.loop import restore


class Command(BaseCommand):
    help = (
        "Run once after restoring a backup, before worker and clock start: holds back every mail "
        "that waited when the backup ended, and every reminder that has fallen due since, as it "
        "may have been sent. TIME is the backup's end, such as 2026-03-10T02:00+00:00. Release "
        "what was not sent in the admin: Outbox, Held back, choose, Send again."
    )

    def add_arguments(self, parser):
        parser.add_argument("time", metavar="TIME")

    def handle(self, *, time: str, **options):
        try:
            end = parse_datetime(time)
        except ValueError:
            end = None
        if end is None or timezone.is_naive(end):
            raise CommandError(f"{time} is no time with a zone, such as 2026-03-10T02:00+00:00.")
        if end > timezone.now():
            raise CommandError(f"{time} is in the future.")
        held, waves = restore.hold_back(end, timezone.now())
        self.stdout.write(
            f"{held:,} mails are held back and {waves:,} waves are paused. Release them in the "
            "admin: Outbox, Held back; and each wave's page."
        )
