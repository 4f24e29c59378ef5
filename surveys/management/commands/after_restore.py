"""After a backup was restored: forget again who was forgotten since, and hold back what may have
been sent since."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from surveys.loop import forget_again, restore


class Command(BaseCommand):
    help = (
        "Run once after restoring a backup, before worker and clock start: holds back every mail "
        "that waited when the backup ended, and every reminder that has fallen due since, as it "
        "may have been sent. TIME is the backup's end, such as 2026-03-10T02:00+00:00. Release "
        "what was not sent in the admin: Outbox, Held back, choose, Send again."
    )

    def add_arguments(self, parser):
        parser.add_argument("time", metavar="TIME")
        parser.add_argument(
            "--erasures",
            metavar="FILE",
            default=settings.ERASURE_LOG,
            help="The log of whom we have forgotten (ERASURE_LOG); those in the backup, too.",
        )

    def handle(self, *, time: str, erasures: str, **options):
        try:
            end = parse_datetime(time)
        except ValueError:
            end = None
        if end is None or timezone.is_naive(end):
            raise CommandError(f"{time} is no time with a zone, such as 2026-03-10T02:00+00:00.")
        if end > timezone.now():
            raise CommandError(f"{time} is in the future.")
        self.stdout.write(self._forget_again(erasures))
        held, waves = restore.hold_back(end, timezone.now())
        self.stdout.write(
            f"{held:,} mails are held back and {waves:,} waves are paused. Release them in the "
            "admin: Outbox, Held back; and each wave's page."
        )

    def _forget_again(self, path: str) -> str:
        """Before anything else, so that nobody who was forgotten is asked once more."""
        if not path:
            return (
                "ERASURE_LOG is not set and no file is given: customers who were forgotten since "
                "the backup are known again. Forget them in the admin."
            )
        try:
            with open(path, encoding="ascii") as file:
                noted = list(forget_again.read(file))
        except (OSError, UnicodeDecodeError, forget_again.NotALog) as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        done = forget_again.forget_again(noted, timezone.now())
        return f"{done:,} customers are forgotten again, of {len(noted):,} in the log."
