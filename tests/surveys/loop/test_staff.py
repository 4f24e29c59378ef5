from datetime import timedelta

import pytest
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError

from surveys.loop import staff
from surveys.models import AuditEntry, Message, Role, User


def newcomer(email: str = "nia@northwind.example") -> User:
    return User(email=email, name="Nia Novak", role=Role.ACCOUNT_MANAGER)


def test_an_invited_colleague_has_no_password_and_a_mail_on_its_way(administrator, now):
    colleague = staff.invite_colleague(newcomer(), administrator, now)
    assert not colleague.has_usable_password()
    mail = Message.objects.get()
    assert (mail.kind, mail.user, mail.next_at) == ("welcome", colleague, now)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.noun_id) == ("invite", administrator, colleague.pk)
    assert entry.after == {"role": "account_manager", "team": None}


def test_an_invitation_that_fails_promises_no_mail(administrator, alice, now):
    with pytest.raises(IntegrityError):
        staff.invite_colleague(newcomer(alice.email), administrator, now)


def test_a_known_address_gets_a_link_however_it_is_typed(alice, now):
    staff.request_password_reset(" ALICE@northwind.example ", now)
    mail = Message.objects.get()
    assert (mail.kind, mail.user) == ("password_reset", alice)


@pytest.mark.parametrize("email", ["nobody@northwind.example", "", "' or 1=1 --"])
def test_an_unknown_address_gets_nothing_and_hears_nothing(alice, now, email):
    assert staff.request_password_reset(email, now) is None
    assert not Message.objects.exists()


def test_a_colleague_who_left_gets_no_link(alice, now):
    alice.is_active = False
    alice.save()
    staff.request_password_reset(alice.email, now)
    assert not Message.objects.exists()


def test_a_mailbox_is_not_flooded(alice, now):
    for second in range(50):
        staff.request_password_reset(alice.email, now + timedelta(seconds=second))
    assert Message.objects.count() == 1
    staff.request_password_reset(alice.email, now + timedelta(minutes=1))
    assert Message.objects.count() == 2


def test_choosing_a_password_spends_every_link(alice, now):
    token = default_token_generator.make_token(alice)
    assert default_token_generator.check_token(alice, token)
    staff.choose_password(alice, "a-new-long-password", now)
    assert alice.check_password("a-new-long-password")
    assert not default_token_generator.check_token(alice, token)
    assert AuditEntry.objects.get().verb == "choose password"
