"""Every knob is written down, and production does not start on a development secret."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "PATH": os.environ["PATH"],
    "SITE_URL": "https://feedback.northwind.example",
    "ALLOWED_HOSTS": "feedback.northwind.example",
    "SECRET_KEY": "made up, and long and varied enough: 8f2b-44c1-9e07-d3a5-6b1f",
    "DATABASE_URL": "postgres://voc:secret@127.0.0.1:1/voc",  # nothing listens there
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://voc:secret@mail.northwind.example:587",
    "DEBUG": "0",
    "TESTING": "0",
}
DEVELOPMENT_KEY = "development-only-never-in-production"
OUTSIDE_SETTINGS = {"WEB_CONCURRENCY"}  # gunicorn reads it


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=PRODUCTION | environment,
        capture_output=True,
        text=True,
    )


def test_production_refuses_the_development_secret_and_says_why():
    refused = manage("check", SECRET_KEY=DEVELOPMENT_KEY)
    assert refused.returncode == 1
    assert "SECRET_KEY is not set" in refused.stderr
    assert "secrets.token_urlsafe" in refused.stderr


def test_a_developers_machine_may_use_the_development_secret():
    assert manage("check", SECRET_KEY=DEVELOPMENT_KEY, DEBUG="1").returncode == 0


@pytest.mark.parametrize(("link_key", "used"), [("", PRODUCTION["SECRET_KEY"]), ("k", "k")])
def test_links_are_never_signed_with_an_empty_key(link_key, used):
    asked = "from django.conf import settings; print(settings.LINK_KEY)"
    assert manage("shell", "-v0", "-c", asked, LINK_KEY=link_key).stdout.strip() == used


def test_the_deployment_check_is_clean():
    checked = manage("check", "--deploy", "--fail-level", "WARNING")
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_deployment_check_would_see_an_unsafe_setting():
    checked = manage("check", "--deploy", "--fail-level", "WARNING", SECURE="0")
    assert checked.returncode == 1
    assert "SECURE_SSL_REDIRECT" in checked.stderr


def test_a_provider_that_nobody_knows_is_refused_with_the_list_of_known_ones():
    checked = manage("check", MAIL_PROVIDER="carrier-pigeon")
    assert checked.returncode == 1
    assert "MAIL_PROVIDER must be one of: brevo, mailersend" in checked.stderr


def test_the_options_of_a_provider_come_to_it_under_its_name():
    asked = "from django.conf import settings; print(settings.ANYMAIL['POSTMARK_SERVER_TOKEN'])"
    options = {"MAIL_PROVIDER": "postmark", "MAIL_PROVIDER_OPTIONS": "SERVER_TOKEN=abc,X=y"}
    assert manage("shell", "-v0", "-c", asked, **options).stdout.strip() == "abc"


@pytest.mark.django_db
def test_the_migrations_hold_every_model():
    call_command("makemigrations", "--check", "--dry-run")


def read_by_settings() -> set[str]:
    """The environment variables that voc/settings.py asks for."""
    settings = ast.parse((ROOT / "voc" / "settings.py").read_text())
    calls = (node for node in ast.walk(settings) if isinstance(node, ast.Call))
    return {
        call.args[0].value for call in calls if re.fullmatch(r"env(\.\w+)?", ast.unparse(call.func))
    }


def read_by_compose() -> set[str]:
    return set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))


def in_the_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_the_settings_are_found():
    assert {
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "EMAIL_URL",
    } < read_by_settings()


def test_the_example_lists_every_knob_and_no_other():
    assert in_the_example() == read_by_settings() | read_by_compose() | OUTSIDE_SETTINGS


def test_the_readme_explains_every_knob():
    explained = set(re.findall(r"`([A-Z_]+)`", (ROOT / "README.md").read_text()))
    assert (read_by_settings() | read_by_compose()) - explained == set()


@pytest.mark.parametrize(
    ("name", "value"), [("KEEP_AUDIT_MONTHS", "11"), ("KEEP_ANSWER_MONTHS", "0")]
)
def test_what_cannot_be_kept_so_shortly_is_refused(name, value):
    checked = manage("check", **{name: value})
    assert checked.returncode == 1
    assert "KEEP_AUDIT_MONTHS at least 12" in checked.stderr
