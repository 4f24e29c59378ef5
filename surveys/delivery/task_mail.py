"""What a colleague has written to the customer of a task: a letter from one person to another."""

from __future__ import annotations

import re

from django.conf import settings

from surveys.delivery import task_address
from surveys.delivery.compiled import only_text
from surveys.delivery.headers import mailbox_line
from surveys.delivery.letter import Letter, about, letter
from surveys.models import Message, OutreachTask, TaskMail, User

MESSAGE_ID = re.compile(r"<[!-;=?-~]{3,248}>")  # printable ASCII: strangers chose it


def task_mail(message: Message) -> Letter:
    """As it was typed. A reply goes to the task's own address, where it logs itself; to the
    colleague who wrote it, where no TASK_ADDRESS is set."""
    task = about(message.task)
    mail = TaskMail.objects.select_related("user").get(message=message)
    name = f"{mail.user.name}, {settings.COMPANY}" if mail.user else settings.COMPANY
    more = _reply_to(task, mail.user) + _thread(task)
    body = only_text(mail.text)
    return letter(
        message, task.customer, mail.subject, body, sender=name, more=more, automatic=False
    )


def _reply_to(task: OutreachTask, writer: User | None) -> bytes:
    address = task_address.address(task) or (writer.email if writer else "")
    name = writer.name if writer else settings.COMPANY
    return mailbox_line("Reply-To", name, address) if address else b""


def _thread(task: OutreachTask) -> bytes:
    """So that it stands below what the customer wrote last (RFC 5322, 3.6.4)."""
    theirs = task.contacts.filter(user=None).exclude(message_id="").last()
    if theirs is None or not MESSAGE_ID.fullmatch(theirs.message_id):
        return b""
    line = f"In-Reply-To: {theirs.message_id}\r\nReferences: {theirs.message_id}\r\n"
    return line.encode("ascii")
