"""What each role may do. One table: the admin, the API and the pages all ask it."""

from django.db import models


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    PROGRAM_MANAGER = "program_manager", "Program manager"
    TEAM_LEAD = "team_lead", "Team lead"
    ACCOUNT_MANAGER = "account_manager", "Account manager"
    PRODUCT_TEAM = "product_team", "Product team"
    AUDITOR = "auditor", "Auditor"


NOUNS = [
    "account",
    "customer",
    "suppression",
    "survey",
    "wording",
    "brand",
    "wave",
    "invitation",
    "family",
    "reminder",
    "remindertext",
    "customerproperty",
    "trigger",
    "event",
    "inboundmail",
    "deliveryevent",
    "response",
    "responseversion",
    "outreachtask",
    "contact",
    "mailtemplate",
    "taskmail",
    "rootcause",
    "confirmation",
    "message",
    "auditentry",
    "erasure",
    "user",
    "team",
    "absence",
    "apikey",
    "openlink",
    "escalation",
    "escalationpolicy",
    "escalationstep",
    "escalationrecipient",
    "chathook",
    "chatmessage",
]
SETTINGS_ONLY_ADMINISTRATORS_SEE = {"user", "team", "apikey"}


def _may(actions: str, nouns: str) -> set[str]:
    return {f"surveys.{action}_{noun}" for action in actions.split() for noun in nouns.split()}


VIEW_REPORTS = {"analysis.view_report", "analysis.view_theme"}
VIEW_ALL = _may("view", " ".join(NOUNS)) | VIEW_REPORTS
WORK_THE_QUEUE = _may("view", "account customer survey response outreachtask contact rootcause")
WORK_THE_QUEUE |= (
    _may("view", "invitation responseversion absence inboundmail confirmation") | VIEW_REPORTS
)
WORK_THE_QUEUE |= _may("change", "outreachtask") | _may("add", "contact taskmail absence")
WORK_THE_QUEUE |= _may("view", "mailtemplate taskmail")

GRANTS: dict[str, set[str]] = {
    Role.PROGRAM_MANAGER: VIEW_ALL - _may("view", " ".join(SETTINGS_ONLY_ADMINISTRATORS_SEE))
    | WORK_THE_QUEUE
    | _may("add change", "account customer survey wording wave rootcause absence")
    | _may("add change delete", "brand family openlink reminder remindertext trigger")
    | _may("add change delete", "customerproperty mailtemplate")
    | _may("add change delete", "escalationpolicy escalationstep escalationrecipient chathook")
    | _may("view change", "team")
    | _may("delete", "wave wording absence")
    | _may("change", "response outreachtask message")
    | {
        "surveys.give_links",
        "surveys.import_customer",
        "surveys.withdraw_outreachtask",
        "surveys.assign_outreachtask",
    }
    | {"analysis.change_theme"},
    Role.TEAM_LEAD: WORK_THE_QUEUE
    | _may("change delete", "absence")
    | {"surveys.withdraw_outreachtask", "surveys.assign_outreachtask"},
    Role.ACCOUNT_MANAGER: WORK_THE_QUEUE | _may("change delete", "absence"),
    Role.PRODUCT_TEAM: VIEW_REPORTS,
    Role.AUDITOR: VIEW_ALL,
}

# What no role may do in the admin, an administrator neither: these rows are evidence.
EVIDENCE = "response responseversion auditentry message invitation event inboundmail deliveryevent"
EVIDENCE += " erasure confirmation"
NEVER = _may("delete", f"outreachtask contact taskmail {EVIDENCE}") | _may(
    "add", f"outreachtask {EVIDENCE}"
)
NEVER |= _may(
    "change",
    "contact taskmail responseversion auditentry invitation event inboundmail deliveryevent erasure"
    " confirmation",
)


def grants(role: str, perm: str) -> bool:
    """Whether `role` holds the permission `app.action_noun`."""
    if perm in NEVER:
        return False
    return role == Role.ADMINISTRATOR or perm in GRANTS.get(role, set())
