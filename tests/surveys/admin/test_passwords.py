from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from surveys.models import Message

NEW = "correct-horse-battery"


def link(user) -> str:
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])


def test_the_log_in_leads_to_a_new_password(client, db):
    page = client.get(reverse("admin:login"))
    assert reverse("admin_password_reset") in page.content.decode()


def test_the_answer_is_the_same_for_known_and_unknown_addresses(client, alice):
    seen = [
        client.post(reverse("admin_password_reset"), {"email": email}, follow=True).content
        for email in (alice.email, "nobody@northwind.example")
    ]
    assert seen[0] == seen[1]
    assert [mail.user for mail in Message.objects.all()] == [alice]


def test_a_link_lets_its_owner_in_once(client, alice):
    address = link(alice)
    page = client.get(address, follow=True)
    assert "Keep this password" in page.content.decode()
    form = page.redirect_chain[-1][0]
    said = client.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert said.url == reverse("password_reset_complete")
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    login = {"username": alice.email, "password": NEW}
    assert client.post(reverse("admin:login"), login).status_code == 302
    page = client.get(address, follow=True)
    assert "does not work any more" in page.content.decode()


def test_a_weak_password_is_refused_with_its_reason(client, alice):
    form = client.get(link(alice), follow=True).redirect_chain[-1][0]
    page = client.post(form, {"new_password1": "12345", "new_password2": "12345"})
    assert "too short" in page.content.decode()


def test_a_link_for_nobody_says_what_to_do(client, db):
    page = client.get(reverse("password_reset_confirm", args=["OTk5", "made-up"]))
    assert "Ask for a new one" in page.content.decode()


def test_the_log_in_works_under_its_policy(client, db):
    page = client.get(reverse("admin:login"))
    policy = page.headers["Content-Security-Policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src "))
    assert scripts == "script-src 'self' 'unsafe-eval'"
    assert "<script>" not in page.content.decode()


def test_five_wrong_passwords_lock_the_door(client, alice):
    login = {"username": alice.email, "password": "wrong"}
    seen = [client.post(reverse("admin:login"), login).status_code for _ in range(5)]
    assert seen == [*[200] * 4, 429]
    for spelling in (alice.email, alice.email.upper(), f" {alice.email}"):
        right = {"username": spelling, "password": "a-long-password"}
        assert client.post(reverse("admin:login"), right).status_code == 429


def test_a_locked_door_locks_out_nobody_else(client, alice, bob):
    for _ in range(5):
        client.post(reverse("admin:login"), {"username": alice.email, "password": "wrong"})
    login = {"username": bob.email, "password": "a-long-password"}
    assert client.post(reverse("admin:login"), login).status_code == 302
