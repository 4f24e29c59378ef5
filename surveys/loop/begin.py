"""Begin: what a new house starts with, so that nothing that matters is off until it is found."""

from __future__ import annotations

import tomllib
from datetime import datetime
from pathlib import Path

from django.db import transaction

from surveys.models import AuditEntry, EscalationPolicy, EscalationStep, MailTemplate

Waits = EscalationStep.Waits
USUAL = [
    (36, Waits.OPENED, ("owner",)),
    (48, Waits.REACHED, ("owner", "lead")),
    (72, Waits.REACHED, ("owner", "lead", "head")),
    (96, Waits.REACHED, ("lead", "head", "executive")),
]


@transaction.atomic
def usual_policy(now: datetime) -> EscalationPolicy | None:
    """The escalation policy for all accounts, where nobody has ever made one; it tells of what
    comes from `now` on. None: there are policies already, or there were."""
    if AuditEntry.objects.filter(noun="escalationpolicy").exists():
        return None
    if EscalationPolicy.objects.exists():
        return None
    policy = EscalationPolicy.objects.create(name="Usual")
    for hours, waits_for, told in USUAL:
        to = {f"to_{one}": True for one in told}
        policy.steps.create(after_hours=hours, waits_for=waits_for, since=now, **to)
    AuditEntry.record("add", policy, now, reason="Every new house begins with it.")
    return policy


@transaction.atomic
def usual_mails(now: datetime) -> int:
    """Templates of mails to unhappy customers, in every language, where nobody has ever made one.

    Returns how many: 0 where there are some already, or were.
    """
    if AuditEntry.objects.filter(noun="mailtemplate").exists():
        return 0
    if MailTemplate.objects.exists():
        return 0
    made = MailTemplate.objects.bulk_create(
        MailTemplate(name=name, language=language, subject=subject, text=text)
        for name, texts in _mails().items()
        for language, (subject, text) in texts.items()
    )
    AuditEntry.record("add", made[0], now, reason="Every new house begins with them.")
    return len(made)


def _mails() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_name("usual_mails.toml").read_text("utf-8"))
