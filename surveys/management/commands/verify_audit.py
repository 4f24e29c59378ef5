"""Check the audit trail against its seals."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from surveys.loop import seal


class Command(BaseCommand):
    help = (
        "Recompute the seals of the audit trail. Says ok, or the first entry that was changed, "
        "removed or slipped in, and then ends with status 1. Keep the last seal it prints "
        "somewhere else and pass it to a later run as --noted: it tells whether somebody has made "
        "the whole chain anew."
    )

    def add_arguments(self, parser):
        parser.add_argument("--noted", metavar="POSITION:HEX", help="A seal printed earlier.")

    def handle(self, *, noted: str | None, **options):
        found = seal.verify(timezone.now())
        if found.broken:
            raise CommandError(
                f"The audit trail is broken: {found.broken} The {found.sealed:,} entries sealed "
                "before it are in order."
            )
        if noted and not _stands(noted):
            raise CommandError(f"The audit trail is broken: it does not hold the seal {noted}.")
        self.stdout.write(
            f"ok: {found.sealed:,} entries are sealed and in order, {found.unsealed:,} wait for "
            f"the sweep.\nLast seal: {found.last or 'none yet'}"
        )


def _stands(noted: str) -> bool:
    try:
        return seal.stands(noted)
    except ValueError as error:
        raise CommandError(f"{noted} is no seal; it reads like 12:0f3a…") from error
