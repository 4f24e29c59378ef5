"""So that somebody can sign in to a fresh installation."""

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from surveys.delivery.links import password_link
from surveys.loop.begin import usual_mails, usual_policy
from surveys.loop.staff import invite_colleague
from surveys.models import Role, User


class Command(BaseCommand):
    help = "Invite ADMIN_EMAIL as the first administrator, while there is nobody else."

    def handle(self, **options):
        if usual_policy(timezone.now()):
            self.stdout.write("The usual escalation policy is in force; see Escalation.")
        if number := usual_mails(timezone.now()):
            self.stdout.write(f"{number} templates of mails to customers; see Mail templates.")
        if User.objects.exists():
            self.stdout.write("There are colleagues already: they invite each other in the admin.")
        elif not settings.ADMIN_EMAIL:
            self.stdout.write("Nobody can sign in yet. Set ADMIN_EMAIL and run this again.")
        else:
            self._invite(settings.ADMIN_EMAIL.strip().lower())

    def _invite(self, email: str) -> None:
        first = User(email=email, name=email.partition("@")[0], role=Role.ADMINISTRATOR)
        first.full_clean(exclude=["password"])
        invite_colleague(first, None, timezone.now())
        self.stdout.write(f"{email} is the first administrator and gets this link by mail, too:")
        self.stdout.write(password_link(first))
