"""`manage.py learn`: bring the themes up to date now instead of in the night."""

from time import perf_counter

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from analysis import learn
from surveys.models import Survey


class Command(BaseCommand):
    help = "Group the comments into themes: all that are new, or everything anew with --refit."

    def add_arguments(self, parser):
        parser.add_argument("--survey", help="The name of one survey; without it, all of them.")
        parser.add_argument(
            "--refit", action="store_true", help="Find the themes anew instead of when it is time."
        )

    def handle(self, *args, survey: str | None, refit: bool, **options):
        for one in self._surveys(survey):
            self.stdout.write(f"{one} ...")
            began = perf_counter()
            try:
                learnt = (learn.refit if refit else learn.learn)(one, timezone.now())
            except learn.TooFewComments as error:
                self.stdout.write(f"  left out: {error}")
            else:
                self.stdout.write(_summary(learnt, perf_counter() - began))

    def _surveys(self, name: str | None) -> list[Survey]:
        surveys = Survey.objects.filter(name=name) if name else Survey.objects.all()
        if name and not surveys:
            names = ", ".join(f"“{survey}”" for survey in Survey.objects.all()) or "none"
            raise CommandError(f"There is no survey “{name}”. There are: {names}.")
        if not surveys:
            self.stdout.write("There is no survey yet, so there are no comments to read.")
        return list(surveys)


def _summary(learnt: learn.Learnt, seconds: float) -> str:
    kind = "all anew" if learnt.refitted else "only the new ones"
    return (
        f"  {learnt.comments:,} comments read ({kind}), {learnt.say_nothing:,} say nothing; "
        f"{learnt.themes} themes, {learnt.born} born, {learnt.retired} retired; {seconds:.1f} s"
    )
