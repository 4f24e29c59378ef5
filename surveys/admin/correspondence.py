"""What customers and their mail servers wrote back, and whether they can be written to at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import admin
from django.db.models import Count
from django.utils import timezone
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.models import Customer, InboundMail, Suppression, Tick

Kind = InboundMail.Kind
TONES = {Kind.REPLY: "green", Kind.BOUNCE: "red", Kind.COMPLAINT: "red"}
LATEST = 5
UNREAD_AFTER = timedelta(minutes=10)  # it is read every minute


@admin.register(InboundMail)
class InboundMailAdmin(ReadOnly, Admin):
    list_display = ("what", "who", "sender", "first_words", "received_at")
    list_display_links = ("what",)
    list_filter = (
        choices_filter("kind", "kind", Kind.choices),
        values_filter("survey", "invitation__survey", label="invitation__survey__name"),
        values_filter("product or touchpoint", "invitation__product"),
    )
    list_select_related = ("customer__account",)
    search_fields = ("sender", "subject", "customer__name", "customer__account__name")
    search_help_text = "Sender, subject, customer or account"
    list_before_template = "admin/surveys/mails.html"
    ordering = ("-received_at",)
    fields = (("what", "received_at"), ("who", "sender"), "invitation", "subject", "said")
    readonly_fields = ("what", "who", "said")

    def changelist_view(self, request, extra_context=None):
        context = {"unread": is_unread(timezone.now()), "last_read": last_read()}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description="kind", ordering="kind")
    def what(self, mail):
        return looks.badge(TONES.get(mail.kind, "grey"), mail.get_kind_display())

    @display(description="customer", ordering="customer__name")
    def who(self, mail):
        return looks.person(mail.customer) if mail.customer else "Nobody we know"

    @display(description="text")
    def first_words(self, mail):
        return looks.first_words(mail.text or mail.subject)

    @display(description="text")
    def said(self, mail):
        return looks.whole(mail.text)


def last_read() -> datetime | None:
    """When the mailbox was last read to its end."""
    return Tick.objects.filter(name="read mailbox").values_list("at", flat=True).first()


def is_unread(now: datetime) -> bool:
    """Whether there is a mailbox, and it has not been read for too long."""
    at = last_read()
    return bool(settings.INBOUND_URL) and (at is None or now - at > UNREAD_AFTER)


def mails_of(customer: Customer) -> list[InboundMail]:
    """The latest that a person or their mail program wrote to us."""
    written = customer.mails.filter(kind__in=[Kind.REPLY, Kind.AUTO_REPLY])
    return list(written.order_by("-received_at")[:LATEST])


def stops_of(customer: Customer) -> list[Suppression]:
    """Why we do not write to the customer's address any more."""
    if not customer.email:
        return []
    rows = Suppression.objects.filter(digest=Suppression.hash(customer.email))
    return list(rows.select_related("family").order_by("at"))


def numbers() -> list[tuple[str, str, int]]:
    """Each reason not to write to an address, with how many there are."""
    counted = Suppression.objects.order_by().values_list("reason").annotate(Count("pk"))
    found = dict(counted)
    return [(r.value, str(r.label), found.get(r.value, 0)) for r in Suppression.Reason]
