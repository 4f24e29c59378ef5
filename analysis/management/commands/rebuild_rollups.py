"""`manage.py rebuild_rollups`: count the reports' rollups anew from the rows."""

from django.core.management.base import BaseCommand

from analysis import fold


class Command(BaseCommand):
    help = (
        "Count anew what the reports are made of, such as after TIME_ZONE was changed. Reports "
        "show the counts from before until it ends, and answers come in meanwhile."
    )

    def handle(self, **options):
        self.stdout.write(f"{fold.rebuild():,} rows counted.")
