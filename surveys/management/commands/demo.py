"""`manage.py demo`: fill an empty database with the demo company, or show its log-ins."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from surveys.demo import company
from surveys.demo.fill import NotEmpty, fill


class Command(BaseCommand):
    help = "Fill an empty database with a fictional company and twelve months of answers."

    def add_arguments(self, parser):
        parser.add_argument(
            "--logins", action="store_true", help="Only print who can log in, and how."
        )

    def handle(self, *args, logins: bool, **options):
        if logins:
            return self._logins()
        try:
            counts = fill(timezone.now(), tell=lambda line: self.stdout.write(f"  {line}"))
        except NotEmpty as error:
            return self.stdout.write(str(error))
        self.stdout.write(
            "The demo is ready: {customers:,} customers, {invitations:,} invitations, "
            "{answers:,} answers.".format(**counts)
        )

    def _logins(self):
        for one in company.STAFF:
            role = one.role.replace("_", " ")
            self.stdout.write(f"{one.email:<26}{company.PASSWORD:<16}{role}")
