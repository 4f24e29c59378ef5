"""`manage.py report`: the month's figures as text."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analysis import phrases
from analysis.months import Month
from analysis.pages import shown
from analysis.report import Filters, figures


class Command(BaseCommand):
    help = "Print the figures of a month: closure of detractors, scores, response rates."

    def add_arguments(self, parser):
        parser.add_argument("--month", help="Such as 2026-03; without it, the newest.")

    def handle(self, *args, month: str | None, **options):
        try:
            wanted = Month.parse(month) if month else None
        except ValueError as error:
            raise CommandError(str(error)) from error
        chosen = figures(Filters(month=wanted), timezone.now()).chosen
        self.stdout.write(
            f"Detractors contacted within 72 h, {phrases.month_name(chosen.month)}: "
            f"{phrases.closure(chosen.closure)}; goal {shown.GOAL}"
        )
        for part in [*shown.parts(chosen.closure), *shown.no_task(chosen.no_task)]:
            self.stdout.write(f"  {part.name:<24}{part.n:>8}")
        for row in (line for survey in chosen.surveys for line in shown.survey_rows(survey)):
            name = ", ".join(filter(None, [row["survey"], row["apart"]]))
            self.stdout.write(
                name + ": {kind} {score} {span} n {n}; answered {responses}".format(**row)
            )
