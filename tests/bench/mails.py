"""Real mails to customers who are new, and the links in them."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surveys.models import Invitation, Survey

Links = list[str]


@dataclass
class Mail:
    """What a scanner got of one mail: an invitation, and the links that it is to open."""

    invitation: Invitation
    links: Links


def mails_with(survey: Survey, number: int) -> list[Mail]:
    """Mails with so many links in all. Of the last one only the first and the last are taken."""
    mails: list[Mail] = []
    while number > 0:
        mail = a_mail(survey)
        if number < len(mail.links):
            mail.links = mail.links[: number - number // 2] + mail.links[-(number // 2) :]
        mails.append(mail)
        number -= len(mail.links)
    return mails


def a_mail(survey: Survey) -> Mail:
    """Ask a new customer, and read the links from the mail that they get."""
    from django.utils import timezone

    from surveys.delivery import claim, emails
    from surveys.loop import ask
    from surveys.models import Account, Customer, Message

    now, number = timezone.now(), Customer.objects.count()
    account, _ = Account.objects.get_or_create(name="Lakeside Mills")
    customer = Customer.objects.create(
        account=account, name=f"Customer {number}", email=f"c{number}@lakeside.example"
    )
    (invitation,) = ask.invite(survey, [customer], "test:1", now)
    message = Message.objects.get(invitation=invitation)
    message.message_id = claim.message_id(message)
    links = links_in(emails.render(message).content)
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=now)
    return Mail(invitation, links)


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found: Links = []

    def handle_starttag(self, tag, attributes):
        target = dict(attributes).get("href") if tag == "a" else None
        if target and target.startswith("http") and target not in self.found:
            self.found.append(target)


def links_in(mail: bytes) -> Links:
    """What its HTML links to, each once, in order."""
    html = message_from_bytes(mail, policy=policy.default).get_body(("html",))
    reader = _Links()
    reader.feed(html.get_content())
    return reader.found
