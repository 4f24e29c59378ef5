"""`manage.py import_customers FILE [--dry-run]`."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from surveys.imports import customers
from surveys.imports.rows import Unreadable


class Command(BaseCommand):
    help = "Bring in customers and their accounts from a CSV file: all of it, or nothing."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="A CSV file in UTF-8 with a header line.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Only check and count; write nothing."
        )
        parser.add_argument(
            "--keep-open-tasks",
            action="store_true",
            help="Open tasks of an account that gets another owner stay with the one before.",
        )

    def handle(self, *args, file: Path, dry_run: bool, keep_open_tasks: bool, **options):
        try:
            with file.open("rb") as stream:
                self._import(stream, dry_run, not keep_open_tasks)
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        except (Unreadable, customers.ChangedMeanwhile) as error:
            raise CommandError(str(error)) from error

    def _import(self, stream, dry_run: bool, move_tasks: bool):
        plan = customers.plan(stream)
        for problem in plan.errors:
            self.stderr.write(str(problem))
        if plan.errors:
            raise CommandError(
                f"Nothing was imported: {len(plan.errors):,} problems, the first "
                f"{len(plan.errors.shown)} are shown above."
            )
        if dry_run:
            done = plan
        else:
            done = customers.apply(plan, by=None, now=timezone.now(), move_tasks=move_tasks)
        self.stdout.write(
            "Customers: {created:,} new, {updated:,} changed, {unchanged:,} unchanged. "
            "Accounts: {accounts_created:,} new, {accounts_updated:,} changed.".format(
                **done.counts
            )
        )
        if done.unused:
            self.stdout.write(f"Columns not used: {', '.join(done.unused)}.")
        if dry_run:
            self.stdout.write("Only checked, nothing written (--dry-run).")
        elif done.changes_nothing:
            self.stdout.write("Everything was there already; nothing was changed.")
