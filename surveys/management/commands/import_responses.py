"""`manage.py import_responses FILE --survey NAME`: historic feedback from a CSV file."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from surveys.imports import cells, responses
from surveys.imports.answers import Options
from surveys.imports.rows import ChangedMeanwhile, Unreadable
from surveys.models import Kind, Survey


def pair(text: str) -> tuple[str, str]:
    """`comment=text` as ("comment", "text")."""
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise ValueError
    return field.strip(), column.strip()


class Command(BaseCommand):
    help = "Bring in historic feedback from a CSV file: all of it, or nothing."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="A CSV file in UTF-8 with a header line.")
        parser.add_argument("--survey", required=True, help="Its number, name or slug.")
        parser.add_argument(
            "--create-survey", choices=Kind.values, metavar="KIND",
            help="Make the survey, closed, if there is none of that name: nps, csat or ces.",
        )  # fmt: skip
        parser.add_argument(
            "--map", type=pair, action="append", default=[], metavar="FIELD=COLUMN",
            help="Which column holds score, comment, date, customer, segment, product, language.",
        )  # fmt: skip
        parser.add_argument("--external-id", metavar="COLUMN", help="The column that numbers rows.")
        dates = parser.add_mutually_exclusive_group()
        dates.add_argument("--date", help="For rows without a date, such as 2026-12-31.")
        dates.add_argument(
            "--spread", type=int, metavar="MONTHS",
            help="Rows without a date stand evenly in the last months, in the file's order.",
        )  # fmt: skip
        parser.add_argument(
            "--no-customer", action="store_true",
            help="Keep rows whose customer is missing or unknown, without a customer.",
        )  # fmt: skip
        parser.add_argument(
            "--dry-run", action="store_true", help="Only check and count; write nothing."
        )

    def handle(self, *args, file: Path, **options):
        try:
            with file.open("rb") as stream, transaction.atomic():
                self._import(stream, options)
                transaction.set_rollback(options["dry_run"])
        except OSError as error:
            raise CommandError(f"{file} cannot be opened: {error.strerror}.") from error
        except (Unreadable, ChangedMeanwhile) as error:
            raise CommandError(str(error)) from error

    def _import(self, stream, options: dict):
        now = timezone.now()
        survey = _survey(options["survey"], options["create_survey"])
        plan = responses.plan(stream, _options(survey, options), now)
        for problem in plan.errors:
            self.stderr.write(str(problem))
        if plan.errors:
            raise CommandError(
                f"Nothing was imported: {len(plan.errors):,} problems, the first "
                f"{len(plan.errors.shown)} are shown above."
            )
        total = plan.created + plan.known
        if not options["dry_run"]:
            plan = responses.apply(
                plan, by=None, now=now, tell=lambda done: self._progress(done, total)
            )
        self._summary(plan, survey, options["dry_run"])

    def _progress(self, done: int, total: int):
        if done % 20_000 < responses.BATCH and total > 20_000:
            self.stderr.write(f"  answers {done:,}/{total:,}")

    def _summary(self, plan: responses.Plan, survey: Survey, dry_run: bool):
        self.stdout.write(
            f"“{survey}”: {plan.created:,} answers new, {plan.known:,} there already and left as "
            "they were."
        )
        for what, count in plan.filled.items():
            self.stdout.write(f"  {count:,} {what}")
        if plan.left_out:
            self.stdout.write(f"  {plan.left_out:,} rows left out, with neither score nor comment")
        if plan.unused:
            self.stdout.write(f"Columns not used: {', '.join(plan.unused)}.")
        if dry_run:
            self.stdout.write("Only checked, nothing written (--dry-run).")


def _survey(name: str, kind: str | None) -> Survey:
    if name.isascii() and name.isdigit() and (by_id := Survey.objects.filter(pk=int(name)).first()):
        return by_id
    for survey in Survey.objects.all():
        if name.casefold() in (survey.name.casefold(), slugify(survey.name)):
            return survey
    if kind is None:
        names = ", ".join(f"“{survey}”" for survey in Survey.objects.all()) or "none yet"
        raise CommandError(
            f"There is no survey “{name}” (there are: {names}). Add --create-survey nps, csat or "
            "ces to make it."
        )
    return Survey.objects.create(name=name, kind=kind, is_open=False)


def _options(survey: Survey, options: dict) -> Options:
    columns = dict(options["map"])
    if options["external_id"]:
        columns["external_id"] = options["external_id"]
    if options["spread"] is not None and not 1 <= options["spread"] <= 240:
        raise CommandError("--spread takes 1 to 240 months.")
    return Options(
        survey, columns, _date(options["date"]), options["spread"], options["no_customer"]
    )


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = cells.moment(text, ZoneInfo(settings.TIME_ZONE))
    except cells.BadCell as error:
        raise CommandError(f"--date: {error}") from error
    if at > datetime.now(UTC):
        raise CommandError(f"--date: {text} is in the future.")
    return at
