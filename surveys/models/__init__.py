"""The nouns, in the order of the loop."""

from surveys.models.audit import AuditEntry, AuditSeal, SealingHorizon
from surveys.models.brand import Brand, Logo
from surveys.models.chat import ChatHook, ChatMessage
from surveys.models.clock import Slot, Tick, database_now
from surveys.models.confirmations import Confirmation, GotBack, Helped
from surveys.models.contacts import Contact
from surveys.models.erasures import Erasure
from surveys.models.escalation import (
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    EscalationStep,
    Tier,
)
from surveys.models.inbound import DeliveryEvent, Event, InboundMail, MailLane, Trigger
from surveys.models.invitations import Invitation, Purpose
from surveys.models.open_links import OpenAnswer, OpenLink
from surveys.models.outbox import Message
from surveys.models.outreach import DEADLINE, GOAL, SECOND_DEADLINE, OutreachTask, RootCause
from surveys.models.people import Account, Customer, CustomerProperty, Suppression
from surveys.models.reminders import Reminder, ReminderText
from surveys.models.responses import (
    COMMENT_LENGTH,
    CONTACT_TIME_LENGTH,
    ContactChannel,
    Response,
    ResponseReason,
    ResponseVersion,
    Sign,
)
from surveys.models.roles import Role
from surveys.models.saved_views import SavedView
from surveys.models.staff import Absence, ApiKey, Notices, Team, User
from surveys.models.surveys import BANDS, Band, Family, Kind, NoWording, Survey
from surveys.models.task_mails import MailTemplate, TaskMail
from surveys.models.visits import Visit, client_hash
from surveys.models.waves import Channel, Wave
from surveys.models.wording import Wording, Words

__all__ = [
    "BANDS", "COMMENT_LENGTH", "CONTACT_TIME_LENGTH", "DEADLINE", "GOAL", "SECOND_DEADLINE",
    "Absence", "Account", "ApiKey", "AuditEntry", "AuditSeal", "Band", "Brand", "Channel",
    "ChatHook", "ChatMessage", "Confirmation", "Contact", "ContactChannel", "Customer",
    "CustomerProperty", "DeliveryEvent", "Erasure", "Escalation", "EscalationPolicy",
    "EscalationRecipient", "EscalationStep", "Event", "Family", "GotBack", "Helped",
    "InboundMail", "Invitation", "Kind", "Logo", "MailLane", "MailTemplate", "Message",
    "NoWording", "Notices", "OpenAnswer", "OpenLink", "OutreachTask", "Purpose", "Reminder",
    "ReminderText", "Response", "ResponseReason", "ResponseVersion", "Role", "RootCause",
    "SavedView", "SealingHorizon", "Sign", "Slot", "Suppression", "Survey", "TaskMail", "Team",
    "Tick", "Tier", "Trigger", "User", "Visit", "Wave", "Wording", "Words", "client_hash",
    "database_now",
]  # fmt: skip
