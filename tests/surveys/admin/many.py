"""A queue of thousands: so many open tasks, and a quarter as many closed ones, in one statement."""

from datetime import datetime

from django.db import connection

from surveys.models import Account, Customer, Survey, Team, User

ACCOUNTS, COLLEAGUES, TEAMS = 200, 50, 5

FILL = """
WITH answered AS (
    INSERT INTO surveys_response (
        survey_id, customer_id, kind, source, score, band, comment, language, product, segment,
        verdict, signs, wants_contact, contact_channel, contact_time, answered_at)
    SELECT %(survey)s, (%(customers)s::bigint[])[1 + n %% array_length(%(customers)s, 1)], 'nps',
        'imported', n %% 7, 'detractor', 'It never came, number ' || n, 'en',
        (ARRAY['Delivery', 'Support', 'Billing'])[1 + n %% 3],
        (ARRAY['Enterprise', 'Retail'])[1 + n %% 2], 'person', '{}', false, '', '',
        -- half of them fall due within the next 72 hours, half are overdue for up to 30 days
        %(now)s::timestamptz - CASE WHEN n %% 2 = 0 THEN (n::float8 / %(whole)s) * interval '72 h'
            ELSE interval '72 h' + (n::float8 / %(whole)s) * interval '30 d' END
    FROM generate_series(1, %(whole)s) n
    RETURNING id, customer_id, score, answered_at)
INSERT INTO surveys_outreachtask (
    response_id, customer_id, owner_id, cause, state, started_at, due_at, first_contact_at, level,
    snooze_reason, closed_at, closings, root_cause_id, outcome, action, withdrawn_reason, version)
SELECT id, customer_id,
    CASE WHEN id %% 97 = 0 THEN NULL
         ELSE (%(owners)s::bigint[])[1 + id %% array_length(%(owners)s, 1)] END,
    'detractor', CASE WHEN id %% 5 = 0 THEN 'withdrawn' ELSE 'open' END, answered_at,
    answered_at + interval '72 h', CASE WHEN id %% 11 = 0 THEN answered_at + interval '2 h' END, 0,
    '', CASE WHEN id %% 5 = 0 THEN answered_at + interval '9 h' END, 0, NULL, '', '',
    CASE WHEN id %% 5 = 0 THEN 'Wrongly opened' ELSE '' END, 1
FROM answered
"""


def fill(survey: Survey, owners: list[User], open_tasks: int, now: datetime) -> None:
    """`owners` first, so that they have some; a fifth of all tasks is over."""
    teams = Team.objects.bulk_create(Team(name=f"Team {n}") for n in range(TEAMS))
    others = User.objects.bulk_create(
        User(email=f"colleague{n}@northwind.example", name=f"C {n}", team=teams[n % TEAMS])
        for n in range(COLLEAGUES)
    )
    colleagues = [*owners, *others]
    accounts = Account.objects.bulk_create(
        Account(name=f"Account {n}", owner=colleagues[n % len(colleagues)], revenue=1_000 * n)
        for n in range(ACCOUNTS)
    )
    customers = Customer.objects.bulk_create(
        Customer(name=f"Customer {n}", account=accounts[n % ACCOUNTS]) for n in range(1_000)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            FILL,
            {
                "survey": survey.pk,
                "customers": [one.pk for one in customers],
                "owners": [one.pk for one in colleagues],
                "now": now,
                "whole": open_tasks * 5 // 4,
            },
        )
        cursor.execute("ANALYZE surveys_outreachtask, surveys_response, surveys_customer")
