"""`make bench-report`: the reports' pages at ten million answers, against the raw GROUP BY.

ROWS answers over 24 months, 8 segments, 20,000 accounts, a fifth of them detractors with tasks; a
tenth as many invitations. Pages are asked for one by one through Django's test client, first in
quiet, then while another process writes answers and folds. The limit, a twentieth of the raw GROUP
BY, is one of ten million rows: with fewer, what a page costs anyhow weighs more.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import time

from tests.bench import house

ROWS = int(os.environ.get("ROWS", "10000000"))
ACCOUNTS = min(20_000, max(20, ROWS // 500))
CUSTOMERS = ACCOUNTS * 5
TIMES = 20
FOLDED = min(20_000, ROWS)
MOST = 1 / 20  # of the raw GROUP BY
AT_FULL_SIZE = 10_000_000
PAGES = {
    "dashboard": "/admin/dashboard/",
    "closure report": "/admin/closure/",
    "monthly report": "/admin/report/",
    "theme report": "/admin/themes/",
}
TABLES = ("surveys_response", "surveys_outreachtask", "surveys_invitation")

FILL = """
INSERT INTO surveys_account (name, segment, region, revenue, owner_id)
SELECT 'Account ' || n, 'Segment ' || n %% 8, 'Region ' || n %% 5, n * 100,
    (SELECT array_agg(id) FROM surveys_user)[1 + n %% 20]
FROM generate_series(1, {accounts}) n;

INSERT INTO surveys_customer (account_id, name, phone, segment, language, time_zone, country,
    is_key_contact, soft_bounces, created_at)
SELECT first + n %% {accounts}, 'Customer ' || n, '', '', 'en', '', '', false, 0, now()
FROM generate_series(1, {customers}) n, (SELECT min(id) AS first FROM surveys_account) a;

INSERT INTO surveys_response (survey_id, kind, customer_id, source, score, band, comment, language,
    product, segment, verdict, signs, wants_contact, contact_channel, contact_time, answered_at)
SELECT {survey}, 'nps', first + n %% {customers}, 'imported', score, CASE WHEN score >= 9 THEN
    'promoter' WHEN score >= 7 THEN 'passive' ELSE 'detractor' END, '', 'en', '',
    'Segment ' || (n %% {accounts}) %% 8, 'person', '{{}}', false, '', '',
    now() - interval '730 days' * (n::float8 / {rows})
FROM (SELECT n, (ARRAY[10, 9, 8, 9, 3, 10, 7, 9, 8, 0])[1 + (n::bigint * 7919) %% 10] AS score
      FROM generate_series(1, {rows}) n) n,
    (SELECT min(id) AS first FROM surveys_customer) c;

INSERT INTO surveys_rootcause (name, is_active) VALUES ('Late delivery', true);

INSERT INTO surveys_outreachtask (response_id, customer_id, owner_id, cause, state, started_at,
    due_at, first_contact_at, closed_at, root_cause_id, outcome, action, closings, level,
    withdrawn_reason, snooze_reason, version)
SELECT r.id, r.customer_id, a.owner_id, 'detractor', CASE WHEN over THEN 'closed' ELSE 'open' END,
    r.answered_at, r.answered_at + interval '72 hours',
    CASE WHEN r.id %% 20 > 0 THEN r.answered_at + interval '1 hour' * (r.id %% 77) END,
    CASE WHEN over THEN r.answered_at + interval '90 hours' END, (SELECT id FROM surveys_rootcause),
    CASE WHEN over THEN 'accepted' ELSE '' END, CASE WHEN over THEN 'Called' ELSE '' END,
    0, 0, '', '', 1
FROM (SELECT *, answered_at < now() - interval '5 days' AS over FROM surveys_response) r
    JOIN surveys_customer c ON c.id = r.customer_id JOIN surveys_account a ON a.id = c.account_id
WHERE r.band = 'detractor';

INSERT INTO surveys_invitation (survey_id, customer_id, occasion, product, language, decision,
    throttled_by, channel, link_given_at, seed, answer_digest, unsubscribe_digest, privacy_digest,
    created_at, send_at, expires_at)
SELECT {survey}, first + n %% {customers}, 'bench:' || n, '', 'en', 'ask', '', 'link', at, '\\x00',
    sha256(('a' || n)::bytea), sha256(('u' || n)::bytea), sha256(('p' || n)::bytea), at, at,
    at + interval '30 days'
FROM (SELECT n, now() - interval '730 days' * (n * 10 / {rows}.0) AS at
      FROM generate_series(1, {rows} / 10) n) n,
    (SELECT min(id) AS first FROM surveys_customer) c
"""
RAW = """
SELECT date_trunc('month', answered_at AT TIME ZONE 'UTC'), segment,
    count(*) FILTER (WHERE band = 'promoter'), count(*) FILTER (WHERE band = 'passive'),
    count(*) FILTER (WHERE band = 'detractor')
FROM surveys_response WHERE verdict = 'person' AND band <> '' GROUP BY 1, 2
"""


def execute(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def fill(survey: int) -> None:
    """With the triggers off: what is there is counted by one rebuild."""
    for table in TABLES:
        execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    counts = {"rows": ROWS, "accounts": ACCOUNTS, "customers": CUSTOMERS, "survey": survey}
    for statement in FILL.replace("%%", "%").format(**counts).split(";"):
        began = time.monotonic()
        execute(statement)
        print(f"{statement.split()[2]}: {time.monotonic() - began:,.1f} s")
    for table in TABLES:
        execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    execute("VACUUM ANALYZE")


def timed(work) -> float:
    """Milliseconds."""
    began = time.monotonic()
    work()
    return 1_000 * (time.monotonic() - began)


def more_answers(survey: int, n: int) -> None:
    """New ones of today, noted by the triggers."""
    part = FILL.split(";")[2].replace("%%", "%")
    part = part.format(rows=n, accounts=ACCOUNTS, customers=CUSTOMERS, survey=survey)
    execute(part.replace("interval '730 days'", "interval '1 day'"))


def folded_per_second(survey: int) -> float:
    from analysis import fold

    more_answers(survey, FOLDED)
    return FOLDED / timed(fold.fold_all) * 1_000


def writer(survey: int) -> int:
    """A process that goes on writing answers and folding them."""
    from django.db import connections

    from analysis import fold

    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        while True:
            more_answers(survey, 20)
            fold.fold_all()
            time.sleep(0.2)
    finally:
        os._exit(1)


def ask(client, when: str) -> dict[str, float]:
    """The 95th percentile of each page, in milliseconds."""
    found = {}
    for name, address in PAGES.items():
        assert client.get(address).status_code == 200
        times = [timed(lambda address=address: client.get(address)) for _ in range(TIMES)]
        found[name] = statistics.quantiles(times, n=20)[-1]
        print(f"{name}, {when}: p95 {found[name]:,.0f} ms, median {statistics.median(times):,.0f}")
    return found


def main() -> None:
    with house.open_house():
        house.start_django()
        figures = measure()
    print(json.dumps(figures))
    if ROWS >= AT_FULL_SIZE and figures["vs_raw"] > MOST:
        sys.exit(f"the slowest page takes more than {MOST:.0%} of the raw GROUP BY")


def measure() -> dict[str, float]:
    from django.test import Client

    from analysis import fold
    from surveys.models import Role, User

    survey = house.survey().pk
    for n in range(20):
        User.objects.create_user(f"am{n}@x.example", name=f"AM {n}", role=Role.ACCOUNT_MANAGER)
    fill(survey)
    rows = 0

    def rebuild() -> None:
        nonlocal rows
        rows = fold.rebuild()

    print(f"rebuild: {timed(rebuild) / 1_000:,.1f} s for {rows:,} rows")
    execute("VACUUM ANALYZE")
    raw = statistics.median(timed(lambda: execute(RAW)) for _ in range(3))
    print(f"raw GROUP BY: {raw:,.0f} ms")
    rate = folded_per_second(survey)
    client = Client(HTTP_HOST=house.LOOPBACK)
    client.force_login(User.objects.create_user("m@x.example", role=Role.PROGRAM_MANAGER))
    quiet = ask(client, "in quiet")
    pid = writer(survey)
    try:
        busy = ask(client, "while answers are written")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    p95 = max(*quiet.values(), *busy.values())
    return {
        "p95_ms": round(p95, 1),
        "vs_raw": round(p95 / raw, 4),
        "rollup_rows": rows,
        "fold_per_s": round(rate),
    }


if __name__ == "__main__":
    main()
