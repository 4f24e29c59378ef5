"""The nouns, in the order of the loop."""

from surveys.models.audit import AuditEntry
from surveys.models.clock import Slot, Tick
from surveys.models.invitations import Invitation, Purpose
from surveys.models.outbox import Message
from surveys.models.outreach import DEADLINE, GOAL, Contact, OutreachTask, RootCause
from surveys.models.people import Account, Customer, Suppression
from surveys.models.responses import COMMENT_LENGTH, Response, ResponseVersion
from surveys.models.roles import Role
from surveys.models.staff import Absence, ApiKey, Team, User
from surveys.models.surveys import BANDS, Band, Kind, NoWording, Survey
from surveys.models.waves import Wave
from surveys.models.wording import Wording, Words

__all__ = [
    "BANDS", "COMMENT_LENGTH", "DEADLINE", "GOAL", "Absence", "Account", "ApiKey", "AuditEntry",
    "Band", "Contact", "Customer", "Invitation", "Kind", "Message", "NoWording", "OutreachTask",
    "Purpose", "Response", "ResponseVersion", "Role", "RootCause", "Slot", "Suppression",
    "Survey", "Team", "Tick", "User", "Wave", "Wording", "Words",
]  # fmt: skip
