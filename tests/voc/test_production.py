"""The very commands, environment and health checks of docker-compose.yml, without containers.

Built like the image, in a directory with only what the Dockerfile copies; PostgreSQL asks for its
password over TCP, and we stand where the reverse proxy stands.
"""

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.bench.forms import seen_form
from tests.voc.compose import ROOT, Deployment, Missing
from tests.waiting import eventually
from voc.embedded.broker import Broker
from voc.embedded.inbox import Inbox
from voc.embedded.ports import LOOPBACK, answers
from voc.embedded.postgres import Postgres
from voc.embedded.servers import Server

HOST = "feedback.northwind.example"
OURS = {"migrate", "web", "worker", "reaper", "clock"}
OWNER = "alice@northwind.example"
VARIABLES = {  # what an operator writes into .env
    "SITE_URL": f"https://{HOST}",
    "ALLOWED_HOSTS": HOST,
    "SECRET_KEY": "made-up-for-the-sessions-of-this-test-0123456789abcdef",
    "LINK_KEY": "made-up-for-the-links-of-this-test-0123456789abcdef",
    "POSTGRES_PASSWORD": "madeUpForTheDatabaseOfThisTest",
    "CONTACT_EMAIL": "surveys@northwind.example",
    "EMAIL_URL": "smtp://mail:25",
    "COMPANY": "Northwind Parcels",
    "WEB_CONCURRENCY": "1",
}
INVITE = """
from django.utils import timezone
from surveys.loop import ask
from surveys.models import Account, Customer, Survey, User, Wave, Wording
owner = User.objects.filter(email="alice@northwind.example").first()
owner = owner or User.objects.create_user("alice@northwind.example", name="Alice")
account, _ = Account.objects.get_or_create(name="Lakeside Mills", defaults={{"owner": owner}})
Customer.objects.create(account=account, name="A customer", email="{email}", segment="{email}")
at_any_hour = {{"send_from": 0, "send_until": 24, "working_days_only": False}}
survey, new = Survey.objects.get_or_create(name="Relationship", defaults=at_any_hour)
if new:
    Wording.objects.create(
        survey=survey, subject="How are we doing?", question="Would you recommend {{company}}?",
        low_label="No", high_label="Yes", comment_label="Why?", thanks="Thank you.",
    )
wave = Wave.objects.create(survey=survey, name="To {email}", segment="{email}")
ask.launch(wave, owner, timezone.now())
"""
ANSWERS = """
SELECT response.score, response.comment, owner.email, task.due_at - response.answered_at
FROM surveys_response response
JOIN surveys_customer customer ON customer.id = response.customer_id
LEFT JOIN surveys_outreachtask task ON task.response_id = response.id
LEFT JOIN surveys_user owner ON owner.id = task.owner_id
WHERE customer.email = %s
"""


class PostgresOverTcp(Postgres):
    """Reached as another machine reaches it: by port, and with a password."""

    def __init__(self, directory: Path, port: int, password: str):
        super().__init__(directory, fsync=False)
        self.port, self.password = port, password

    def prepare(self) -> None:
        super().prepare()
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.directory / "pg_hba.conf").write_text(rules)

    def command(self) -> list[str]:
        return [*super().command(), f"--listen_addresses={LOOPBACK}", f"--port={self.port}"]

    def start(self) -> "PostgresOverTcp":
        super().start()
        with self.connect() as connection:
            password = sql.Literal(self.password)
            connection.execute(sql.SQL("ALTER USER voc PASSWORD {}").format(password))
        return self

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.sockets), port=self.port, user="voc", dbname="voc")


class BrokerOverTcp(Broker):
    def __init__(self, directory: Path, port: int):
        super().__init__(directory)
        self.port = port

    def command(self) -> list[str]:
        return [*super().command(), "--bind", LOOPBACK, "--port", str(self.port)]


class PatientServer(Server):
    patience = 120.0  # seconds: other tests want the processor as well


class Site:
    """The deployment, as the reverse proxy, the mail server and the operator see it."""

    def __init__(self, home: Path, inbox: Inbox, database: PostgresOverTcp, broker: BrokerOverTcp):
        self.home, self.app, self.port = home, home / "app", free_port()
        self.inbox, self.database, self.broker = inbox, database, broker
        self.deployment = Deployment(
            VARIABLES | {"EMAIL_URL": f"smtp://{LOOPBACK}:{inbox.port}"},
            places={
                "db:5432": f"{LOOPBACK}:{database.port}",
                "redis:6379": f"{LOOPBACK}:{broker.port}",
                "/tmp": str(home),  # noqa: S108
            },
        )
        self.running: dict[str, Server] = {}

    def build(self) -> None:
        for *from_, to in self.deployment.copied():
            for source in from_:
                copy(ROOT / source, self.app / to)
        for line in self.deployment.built_by():
            self.run(["sh", "-c", line], {})

    def environment(self, service: str) -> dict[str, str]:
        ours = {"PORT": str(self.port), "HOSTNAME": socket.gethostname()}  # as Docker sets them
        return self.deployment.environment(service) | ours

    def start(self, service: str) -> None:
        """Start it and wait until its own health check is content."""
        self._start(
            service, self.deployment.command(service), ready=lambda: self.is_healthy(service)
        )

    def start_clock_alone(self) -> None:
        self._start("clock", ["python", "manage.py", "clock"])

    def _start(self, service: str, command: list[str], ready=None) -> None:
        self.running[service] = PatientServer(
            service,
            self.in_app(command),
            log=self.home / f"{service}.log",
            environment={"PATH": PATH} | self.environment(service),
            ready=ready,
        ).start()

    def stop(self, service: str) -> None:
        self.running.pop(service).stop()

    def stop_all(self) -> None:
        for service in list(self.running):
            self.stop(service)

    def is_healthy(self, service: str) -> bool:
        check = self.in_app(self.deployment.health_check(service))
        environment = {"PATH": PATH} | self.environment(service)
        return subprocess.run(check, env=environment, capture_output=True).returncode == 0

    def run(self, command: list[str], environment: dict[str, str]) -> str:
        environment = {"PATH": PATH} | environment
        done = subprocess.run(self.in_app(command), env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def in_app(self, command: list[str]) -> list[str]:
        return ["sh", "-c", 'cd "$0" && exec "$@"', str(self.app), *command]

    def shell(self, statements: str) -> None:
        self.run(["python", "manage.py", "shell", "-c", statements], self.environment("web"))

    def request(
        self, method: str, path: str, form: dict | None = None, scheme: str = "https"
    ) -> SimpleNamespace:
        """As the reverse proxy passes it on; redirects are not followed."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        headers = {"Host": HOST, "X-Forwarded-Proto": scheme}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        response = connection.getresponse()
        return SimpleNamespace(
            status=response.status, headers=response.headers, text=response.read().decode()
        )

    def logs(self) -> str:
        return "".join((self.home / f"{name}.log").read_text() for name in OURS - {"migrate"})

    def mails_to(self, address: str) -> list[str]:
        mails = [mail for mail in self.inbox.messages() if mail["Delivered-To"] == address]
        return [mail.get_body(("plain",)).get_content() for mail in mails]

    def answers(self, email: str) -> list[tuple]:
        with self.database.connect() as connection:
            return connection.execute(ANSWERS, [email]).fetchall()


PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def copy(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, to)


@pytest.fixture
def site(tmp_path):
    home = tmp_path
    database = PostgresOverTcp(home / "pg", free_port(), VARIABLES["POSTGRES_PASSWORD"])
    broker = BrokerOverTcp(home / "valkey", free_port())
    with Inbox(home / "inbox", free_port()) as inbox, database, broker:
        site = Site(home, inbox, database, broker)
        try:
            site.build()
            site.run(site.deployment.command("migrate"), site.environment("migrate"))
            site.start("web")
            yield site
        finally:
            site.stop_all()


def go_round(site: Site, email: str) -> None:
    """Ask a customer, answer as a detractor, and see the task and the owner's mail."""
    told = len(site.mails_to(OWNER))
    site.shell(INVITE.format(email=email))
    [mail] = eventually(lambda: site.mails_to(email), seconds=120)
    link = urlsplit(re.search(rf"https://{HOST}/a/\S+\?score=3\b", mail).group())

    page = site.request("GET", f"{link.path}?{link.query}")
    assert page.status == 200
    assert site.answers(email) == []  # looking at the page answers nothing

    time.sleep(1.1)  # nobody reads the page in less
    form = seen_form(page.text).values | {"comment": "Late again."}
    assert site.request("POST", link.path, form).status == 200
    assert site.answers(email) == [(3, "Late again.", OWNER, timedelta(hours=72))]
    notices = eventually(lambda: site.mails_to(OWNER)[: -told or None], seconds=120)
    assert len(notices) == 1
    assert "Late again." in notices[0]


def test_the_deployment_goes_round_with_a_broker_and_without(site):
    """One test, because building and starting the deployment takes most of its time."""
    through_worker_and_beat(site)
    without_a_broker(site)
    the_proxys_https_is_insisted_on(site)
    the_logs_name_nobody_and_open_no_link(site)


def through_worker_and_beat(site: Site) -> None:
    for service in ("worker", "reaper", "clock"):
        site.start(service)
    go_round(site, "ines@lakeside.example")
    assert site.request("GET", "/readyz").status == 200
    for service in ("clock", "reaper", "worker"):
        site.stop(service)
    assert not site.is_healthy("worker")


def without_a_broker(site: Site) -> None:
    site.broker.stop()
    assert not answers(site.broker.port)
    site.start_clock_alone()
    go_round(site, "omar@lakeside.example")
    site.stop("clock")
    assert "the broker took no hint for surveys.tasks.send_mail" in site.logs()
    assert '"level": "error"' not in site.logs()


def the_proxys_https_is_insisted_on(site: Site) -> None:
    assert site.request("GET", "/admin/login/").status == 200
    past_the_proxy = site.request("GET", "/admin/login/", scheme="http")
    assert past_the_proxy.status == 301
    assert past_the_proxy.headers["Location"] == f"https://{HOST}/admin/login/"


def the_logs_name_nobody_and_open_no_link(site: Site) -> None:
    [mail] = site.mails_to("ines@lakeside.example")
    token = re.search(r"/a/(\w{26})", mail).group(1)
    assert token[:4] in site.logs()
    assert token not in site.logs()
    assert "ines@" not in site.logs()


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - {"COMPANY", "WEB_CONCURRENCY"}))
def test_a_missing_secret_is_named_before_anything_starts(name):
    with pytest.raises(Missing, match=name):
        Deployment(VARIABLES | {name: ""}, places={})


def test_no_service_runs_as_root_or_may_become_it():
    services = Deployment(VARIABLES, places={}).services
    ours = {name for name, service in services.items() if service["image"] == "voc"}
    assert ours == OURS
    assert {services[name]["user"] for name in ours} == {"10001:10001"}
    for service in services.values():
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
