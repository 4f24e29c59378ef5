"""Triggers that note, in the transaction of a change, which counts of the reports it concerns.

A note is a row that nobody else touches, so writers never wait for one another, nor for the reports.
New rows are noted once a statement; changed and deleted ones one by one, where it matters at all.
"""

from django.db import migrations

# Clocks on the wall differ by whole quarters of an hour, so a quarter lies in one day everywhere.
ROUND = "date_bin('15 minutes', {}, 'epoch')"

NOTE = """
CREATE FUNCTION analysis_note(kind text, survey bigint, at timestamptz, ref bigint)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO analysis_stale (kind, survey_id, at, ref)
    VALUES (kind, survey, date_bin('15 minutes', at, 'epoch'), ref)
$$
"""


def trigger(name: str, table: str, events: str, body: str, when: str = "") -> tuple[str, str]:
    """The SQL that makes a trigger for each row, and the SQL that drops it."""
    condition = f"WHEN ({when})" if when else ""
    make = f"""
        CREATE FUNCTION analysis_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NULL; END $$;
        CREATE TRIGGER {name} AFTER {events} ON {table}
            FOR EACH ROW {condition} EXECUTE FUNCTION analysis_{name}()
    """
    return make, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION analysis_{name}()"


def new_rows(name: str, table: str, body: str) -> tuple[str, str]:
    """The same, once for all new rows of a statement."""
    make = f"""
        CREATE FUNCTION analysis_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {body} RETURN NULL; END $$;
        CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION analysis_{name}()
    """
    return make, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION analysis_{name}()"


def differ(*columns: str) -> str:
    old, new = (", ".join(f"{row}.{one}" for one in columns) for row in ("OLD", "NEW"))
    return f"({old}) IS DISTINCT FROM ({new})"


ANSWER = "PERFORM analysis_note('answer', {0}.survey_id, {0}.answered_at, {0}.customer_id);"
INVITED = "PERFORM analysis_note('invitation', NULL, NULL, {0}.invitation_id);"
ASKED = "PERFORM analysis_note('asked', {0}.survey_id, {0}.created_at, NULL);"
TASK = "PERFORM analysis_note('task', NULL, {0}.started_at, {0}.response_id);"

TRIGGERS = [
    new_rows(
        "note_new_answers",
        "surveys_response",
        f"""
        INSERT INTO analysis_stale (kind, survey_id, at, ref)
        SELECT DISTINCT 'answer', survey_id, {ROUND.format("answered_at")}, customer_id
        FROM new_rows
        UNION ALL
        SELECT 'invitation', NULL, NULL, invitation_id
        FROM new_rows WHERE invitation_id IS NOT NULL;
        """,
    ),
    trigger(
        "note_changed_answer",
        "surveys_response",
        "UPDATE",
        ANSWER.format("OLD") + ANSWER.format("NEW") + INVITED.format("OLD") + INVITED.format("NEW"),
        differ(
            "survey_id", "answered_at", "band", "verdict", "source", "product", "segment",
            "customer_id", "invitation_id",
        ),
    ),
    trigger(
        "note_deleted_answer",
        "surveys_response",
        "DELETE",
        ANSWER.format("OLD") + INVITED.format("OLD"),
    ),
    trigger(
        "note_new_invitation",
        "surveys_invitation",
        "INSERT",
        ASKED.format("NEW"),
        "NEW.link_given_at IS NOT NULL",  # a mail is noted when it has gone out
    ),
    trigger(
        "note_changed_invitation",
        "surveys_invitation",
        "UPDATE",
        ASKED.format("OLD") + ASKED.format("NEW"),
        differ("survey_id", "customer_id", "product", "decision", "channel", "created_at")
        + " OR (OLD.link_given_at IS NULL) <> (NEW.link_given_at IS NULL)",
    ),
    trigger(
        "note_deleted_invitation", "surveys_invitation", "DELETE", ASKED.format("OLD")
    ),
    trigger(
        "note_new_mail",
        "surveys_message",
        "INSERT",
        INVITED.format("NEW"),
        "NEW.state = 'sent' AND NEW.invitation_id IS NOT NULL",
    ),
    trigger(
        "note_sent_mail",
        "surveys_message",
        "UPDATE OF state, invitation_id",
        INVITED.format("OLD") + INVITED.format("NEW"),
        "((OLD.state = 'sent') <> (NEW.state = 'sent')"
        " OR OLD.invitation_id IS DISTINCT FROM NEW.invitation_id)"
        " AND coalesce(OLD.invitation_id, NEW.invitation_id) IS NOT NULL",
    ),
    trigger(
        "note_deleted_mail",
        "surveys_message",
        "DELETE",
        INVITED.format("OLD"),
        "OLD.state = 'sent' AND OLD.invitation_id IS NOT NULL",
    ),
    new_rows(
        "note_new_tasks",
        "surveys_outreachtask",
        f"""
        INSERT INTO analysis_stale (kind, at, ref)
        SELECT 'task', {ROUND.format("started_at")}, response_id FROM new_rows;
        """,
    ),
    trigger(
        "note_changed_task",
        "surveys_outreachtask",
        "UPDATE",
        TASK.format("OLD") + TASK.format("NEW"),
        differ(
            "response_id", "customer_id", "cause", "(state = 'withdrawn')", "started_at", "due_at",
            "first_contact_at", "owner_id",
        ).replace("OLD.(state", "(OLD.state").replace("NEW.(state", "(NEW.state"),
    ),
    trigger("note_deleted_task", "surveys_outreachtask", "DELETE", TASK.format("OLD")),
    trigger(
        "note_moved_customer",
        "surveys_customer",
        "UPDATE",
        "PERFORM analysis_note('customer', NULL, NULL, NEW.id);"
        "IF OLD.account_id IS NOT NULL THEN"
        "    PERFORM analysis_note('account', NULL, NULL, OLD.account_id);"
        "END IF;",
        differ("account_id", "segment"),
    ),
    trigger(
        "note_deleted_customer",
        "surveys_customer",
        "DELETE",
        "PERFORM analysis_note('account', NULL, NULL, OLD.account_id);",
        "OLD.account_id IS NOT NULL",
    ),
    trigger(
        "note_changed_account",
        "surveys_account",
        "UPDATE",
        "PERFORM analysis_note('members', NULL, NULL, NEW.id);",
        differ("segment", "region", "revenue"),
    ),
]  # fmt: skip

# What there is already is counted at the first fold.
ALL_THERE_IS = """
INSERT INTO analysis_stale (kind, survey_id, at, ref)
SELECT DISTINCT 'answer', survey_id, date_bin('15 minutes', answered_at, 'epoch'), customer_id
FROM surveys_response;
INSERT INTO analysis_stale (kind, survey_id, at)
SELECT DISTINCT 'asked', survey_id, date_bin('15 minutes', created_at, 'epoch')
FROM surveys_invitation WHERE decision = 'ask';
INSERT INTO analysis_stale (kind, at)
SELECT DISTINCT 'task', date_bin('15 minutes', started_at, 'epoch') FROM surveys_outreachtask
"""


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0003_rollups"),
        ("surveys", "0023_evidence_and_confirmations"),
    ]

    operations = [
        migrations.RunSQL(
            NOTE, "DROP FUNCTION analysis_note(text, bigint, timestamptz, bigint)"
        ),
        *(migrations.RunSQL(*pair) for pair in TRIGGERS),
        migrations.RunSQL(ALL_THERE_IS, migrations.RunSQL.noop),
    ]
