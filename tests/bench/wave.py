"""How long a wave of a million takes to plan and to enqueue, and how much memory.

    make bench-wave                 CUSTOMERS=1000000

A planner of its own process works on a real PostgreSQL with fsync; at a third of the way it is
killed with -9, and another one goes on. Counts what was decided twice. Last line: one JSON object.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

CUSTOMERS = int(os.environ.get("CUSTOMERS", "1000000"))
MOST_SECONDS, MOST_MB = 600, 300
PLANNER = """
import django; django.setup()
from django.utils import timezone
from surveys.loop import ask
while ask.plan(timezone.now()): pass
"""
OWNERS, ACCOUNTS = 50, 20_000
PLACES = [
    {"language": "en", "time_zone": "Europe/Berlin", "country": "DE"},
    {"language": "de", "time_zone": "America/New_York", "country": "US"},
    {"language": "fr", "time_zone": "Asia/Tokyo", "country": "JP"},
    {},
]


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="voc-bench-"))
    home.chmod(0o755)  # the server runs as somebody else when we are root
    os.environ |= {"TESTING": "1", "SECRET_KEY": "made up for the benchmark", "DEBUG": "0"}
    from voc.embedded.postgres import Postgres

    server = Postgres(home / "pg")
    os.environ["DATABASE_URL"] = server.url
    os.environ["DJANGO_SETTINGS_MODULE"] = "voc.settings"
    server.start()
    try:
        figures = measure()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)
    print(json.dumps(figures))
    met = figures["seconds"] <= MOST_SECONDS and figures["peak_mb"] <= MOST_MB
    sys.exit(0 if met and figures["killed_and_resumed"] and not figures["twice"] else 1)


def measure() -> dict:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    wave = fill()
    estimate(wave)
    began = time.monotonic()
    launch(wave)
    peak, killed = plan_with_a_kill(wave, began)
    seconds = time.monotonic() - began
    figures = {
        "customers": CUSTOMERS,
        "seconds": round(seconds, 1),
        "peak_mb": round(peak / 2**20, 1),
        "killed_and_resumed": killed,
        "twice": twice(wave),
    }
    press_every_button(wave)
    return figures


def fill():
    """Customers, of whom one in 50 has no address, one in 100 is suppressed, and one in ten was
    asked by another survey three days ago."""
    from django.db import connection
    from django.utils import timezone

    from surveys.models import Survey, Wave, Wording

    print(f"inserting {CUSTOMERS:,} customers", flush=True)
    insert_people()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    now = timezone.now()
    words = {"subject": "s", "question": "q", "low_label": "l", "high_label": "h"}
    survey, other = (Survey.objects.create(name=name) for name in ("Relationship", "Support"))
    for one in (survey, other):
        Wording.objects.create(survey=one, comment_label="c", thanks="t", **words)
    suppress(now)
    ask_before(other, now - timedelta(days=3))
    return Wave.objects.create(survey=survey, name="Everybody", spread_days=10)


def insert_people() -> None:
    from surveys.models import Account, Customer, User

    owners = User.objects.bulk_create(
        User(email=f"owner{n}@northwind.example", name=f"Owner {n}", role="account_manager")
        for n in range(OWNERS)
    )
    accounts = Account.objects.bulk_create(
        [Account(name=f"Account {n}", owner=owners[n % OWNERS]) for n in range(ACCOUNTS)], 5_000
    )
    for start in range(1, CUSTOMERS + 1, 20_000):
        numbers = range(start, min(start + 20_000, CUSTOMERS + 1))
        Customer.objects.bulk_create(
            Customer(
                account=accounts[n % ACCOUNTS],
                email=f"c{n}@lakeside.example" if n % 50 else None,
                name=f"Customer {n}",
                **PLACES[n % 4],
            )
            for n in numbers
        )


def suppress(now) -> None:
    from surveys.models import Suppression

    addresses = (f"c{n}@lakeside.example" for n in range(1, CUSTOMERS + 1, 100))
    rows = [Suppression(digest=Suppression.hash(a), reason="bounced", at=now) for a in addresses]
    Suppression.objects.bulk_create(rows, 5_000)


def ask_before(survey, then) -> None:
    from surveys.loop import ask
    from surveys.models import Customer

    ids = Customer.objects.order_by("pk").values_list("pk", flat=True)
    some = [pk for pk in ids.iterator() if pk % 10 == 0]
    for start in range(0, len(some), 1_000):
        batch = [Customer(pk=pk) for pk in some[start : start + 1_000]]
        ask.invite(survey, batch, "event:before", then)


def estimate(wave) -> None:
    from django.utils import timezone

    from surveys.loop import estimate, manners

    told = timed("estimate", lambda: estimate.estimate(wave, timezone.now()))
    print(f"of {told.looked_at:,} looked at: {manners.not_asked(told.decisions)}", flush=True)


def press_every_button(wave) -> None:
    """What a program manager waits for on the page of so large a wave."""
    from django.utils import timezone

    from surveys.loop import waves
    from surveys.models import User

    by, now = User.objects.first(), timezone.now()
    timed("progress", lambda: waves.progress(wave))
    timed("pause", lambda: waves.pause(wave, by, now))
    timed("resume", lambda: waves.resume(wave, by, now))
    timed("stop", lambda: waves.stop(wave, by, now))


def timed(name: str, call):
    began = time.monotonic()
    result = call()
    print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)
    return result


def launch(wave) -> None:
    from django.utils import timezone

    from surveys.loop import ask
    from surveys.models import User

    ask.launch(wave, User.objects.first(), timezone.now())
    print(f"launched for {wave.audience_size:,} customers", flush=True)


def plan_with_a_kill(wave, began: float) -> tuple[int, bool]:
    """The highest memory of any planner in bytes, and whether one was killed in the middle."""
    peak, killed, planner = 0, False, start_planner()
    while planner.poll() is None or planner.returncode == -9:
        if planner.returncode == -9:
            planner = start_planner()
        time.sleep(0.5)
        peak = max(peak, memory_of(planner))
        done = decided(wave)
        if int(time.monotonic() * 2) % 10 == 0:
            print(f"{time.monotonic() - began:6.0f} s  {done:>9,} decided", flush=True)
        if not killed and CUSTOMERS / 3 < done < CUSTOMERS:
            planner.kill()
            planner.wait()
            killed = True
            print(f"killed the planner after {decided(wave):,}", flush=True)
    if planner.returncode:
        raise SystemExit("the planner failed")
    return peak, killed


def start_planner() -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", PLANNER], cwd=ROOT)


def memory_of(process: subprocess.Popen) -> int:
    try:
        return psutil.Process(process.pid).memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def decided(wave) -> int:
    """Read from the checkpoint: the keys of the customers are dense."""
    wave.refresh_from_db(fields=["planned_up_to"])
    return wave.planned_up_to


def twice(wave) -> int:
    """Customers decided on twice, or mailed twice; refuses what is missing."""
    from django.db.models import Count

    from surveys.loop import manners
    from surveys.models import Invitation, Message

    rows = Invitation.objects.filter(wave=wave).order_by()
    counts = dict(rows.values_list("decision").annotate(Count("pk")))
    customers = rows.aggregate(n=Count("customer", distinct=True))["n"]
    mails = Message.objects.filter(invitation__wave=wave, kind="invitation", state="queued")
    invited = mails.aggregate(n=Count("invitation", distinct=True))["n"]
    wave.refresh_from_db()
    print(f"{manners.not_asked(counts)}; {invited:,} mails in the outbox", flush=True)
    if (wave.state, customers, invited) != ("launched", CUSTOMERS, counts["ask"]):
        raise SystemExit(f"incomplete: {wave.state}, {customers} decided, {invited} mails")
    return sum(counts.values()) - customers + mails.count() - invited


if __name__ == "__main__":
    main()
