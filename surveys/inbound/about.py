"""Which of our mails, and whose, a mail that came in is about. Anybody can write to a mailbox, so
what stops somebody's mails must be proved."""

from __future__ import annotations

import re

from django.conf import settings
from django.db.models import Q

from surveys.delivery import task_address, verp
from surveys.inbound.read import Incoming
from surveys.inbound.reports import Report
from surveys.models import Customer, Invitation, Message, OutreachTask, Purpose, User

OURS = re.compile(r"<voc\.(\d{1,18})\.[a-z_]{1,20}@[^<>\s]+>")
RELATED = ("invitation__customer__account__owner", "invitation__survey__family", "user")


def reported(mail: Incoming) -> Message | None:
    """The mail of ours that a report is about; None without proof that its sender had it.

    Proof is its return path, which is signed, or its unsubscribe link, which is secret. Only where
    no BOUNCE_ADDRESS is set, its Message-ID together with the address it went to will do.
    """
    report = mail.report or Report()
    paths = [*mail.recipients, report.return_path]
    ids = [pk for path in paths if (pk := verp.read(path)) is not None]
    return (
        messages().filter(pk__in=ids[:1]).first()
        or _by_link(report)
        or (None if settings.BOUNCE_ADDRESS else _by_its_word(report))
    )


def answered(mail: Incoming) -> tuple[Customer | None, Invitation | None]:
    """The customer who wrote it, and the invitation it answers: the latest one, if they do not
    quote it. Nothing follows but that it is read, so no proof is needed. A forgotten customer who
    writes again is a stranger."""
    paths = (verp.read(address) for address in mail.recipients)
    ids = [pk for pk in paths if pk is not None] + [pk for pk, _ in map(_ours, mail.answers) if pk]
    ours = messages().filter(pk__in=ids[:20], kind__in=Message.NEVER_TWICE)
    ours = ours.filter(invitation__customer__forgotten_at=None)
    if message := ours.order_by("-pk").first():
        return message.invitation.customer, message.invitation
    wrote = Customer.objects.filter(email=mail.sender).first() if mail.sender else None
    if wrote is None:
        return None, None
    known = wrote.standing
    asked = known.invitations.filter(decision=Invitation.Decision.ASK)
    return known, asked.order_by("-created_at").first()


def tasks_of(mail: Incoming) -> list[OutreachTask]:
    """Those whose own addresses it was sent to."""
    ids = {pk for address in mail.recipients if (pk := task_address.read(address)) is not None}
    if not ids:
        return []
    tasks = OutreachTask.objects.filter(pk__in=ids).select_related(
        "customer__account", "response__invitation", "owner"
    )
    return list(tasks.order_by("pk"))


def wrote(mail: Incoming, tasks: list[OutreachTask]) -> tuple[User | None, list[OutreachTask]]:
    """The colleague whose address it bears, if one has it, and those of the tasks that it counts
    for: of a colleague's, those they work and whose customer it is written to, for all to see; of
    any other, those whose customer has this address."""
    colleague = User.objects.filter(email=mail.sender, is_active=True).first()
    if colleague is None:
        return None, [task for task in tasks if mail.sender in _addresses(task.customer)]
    rows = OutreachTask.objects.visible_to(colleague).filter(pk__in=[task.pk for task in tasks])
    works = set(rows.values_list("pk", flat=True))
    to = set(mail.recipients)
    mine = [task for task in tasks if task.pk in works and to & _addresses(task.customer)]
    return colleague, mine if colleague.has_perm("surveys.add_contact") else []


def _addresses(customer: Customer) -> set[str]:
    """Theirs, and those of records that were merged into theirs."""
    merged = customer.signposts.exclude(email=None).values_list("email", flat=True)
    return {email for email in (customer.email, *merged) if email}


def _by_link(report: Report) -> Message | None:
    asked = Invitation.objects.by_token(report.token, Purpose.UNSUBSCRIBE).first()
    if asked is None:
        return None
    mails = messages().filter(invitation=asked, kind__in=Message.NEVER_TWICE).order_by("-pk")
    return mails.filter(message_id=report.message_id).first() or mails.first()


def _by_its_word(report: Report) -> Message | None:
    pk, message_id = _ours(report.message_id)
    to_customer = Q(invitation__customer__email=report.recipient, user=None)
    sent_to = to_customer | Q(user__email=report.recipient)
    if not pk or not report.recipient:
        return None
    return messages().filter(sent_to, pk=pk, message_id=message_id).first()


def _ours(message_id: str) -> tuple[int | None, str]:
    found = OURS.fullmatch(message_id)
    return (int(found[1]), message_id) if found else (None, "")


def messages():
    """Our mails, with those they are about."""
    return Message.objects.select_related(*RELATED)
