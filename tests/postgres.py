"""A PostgreSQL of our own for the whole test run, unless DATABASE_URL names another.

Loaded by `-p tests.postgres`, before Django reads its settings. pytest-xdist's workers inherit the
environment, so they share the one server and make a database each.
"""

import os
import shutil
import tempfile
from pathlib import Path

from voc.embedded.postgres import Postgres

os.environ["TESTING"] = "1"
os.environ.setdefault("SECRET_KEY", "tests-only")
os.environ.setdefault("COMPANY", "Northwind Parcels")
os.environ.setdefault("CONTACT_EMAIL", "surveys@northwind.example")
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ.setdefault("ALLOWED_HOSTS", "*")
os.environ.setdefault("MAIL_RATE", "0")

_home: Path | None = None
_server: Postgres | None = None

if "DATABASE_URL" not in os.environ:
    _home = Path(tempfile.mkdtemp(prefix="voc-test-"))
    _home.chmod(0o755)  # the server runs as somebody else when we are root
    _server = Postgres(_home / "pg", fsync=False)
    os.environ["DATABASE_URL"] = _server.url


def pytest_configure(config):
    if _server:
        _server.start()


def pytest_unconfigure(config):
    if _server and _home:
        _server.stop()
        shutil.rmtree(_home, ignore_errors=True)
