"""How the admin presents itself: title, colours, and a sidebar in the order of the loop."""

from __future__ import annotations

from collections.abc import Callable

from django.templatetags.static import static
from django.urls import reverse_lazy

BLUE = {
    "50": "oklch(97% .014 254.6)",
    "100": "oklch(93.2% .032 255.6)",
    "200": "oklch(88.2% .059 254.1)",
    "300": "oklch(80.9% .105 251.8)",
    "400": "oklch(70.7% .165 254.6)",
    "500": "oklch(62.3% .214 259.8)",
    "600": "oklch(54.6% .245 262.9)",
    "700": "oklch(48.8% .243 264.4)",
    "800": "oklch(42.4% .199 265.6)",
    "900": "oklch(37.9% .146 265.5)",
    "950": "oklch(28.2% .091 267.9)",
}


def unfold(company: str) -> dict:
    """The UNFOLD setting of a site that belongs to `company`."""
    return {
        "SITE_TITLE": f"{company}: voice of the customer",
        "SITE_HEADER": company,
        "SITE_SUBHEADER": "Voice of the customer",
        "SITE_SYMBOL": "forum",
        "SITE_URL": None,
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "COLORS": {"primary": BLUE},
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": _static("surveys/favicon.svg")}
        ],
        "STYLES": [_static("surveys/admin.css")],
        "DASHBOARD_CALLBACK": "surveys.admin.dashboard.fill",
        "ACCOUNT": {
            "navigation": [{"title": "My preferences", "link": reverse_lazy("preferences")}]
        },
        "SIDEBAR": {"show_search": False, "navigation": SIDEBAR},
    }


def _static(path: str) -> Callable:
    """Resolved per request: the manifest of hashed names is not there while settings load."""
    return lambda request: static(path)


def may(permission: str) -> Callable:
    return lambda request: request.user.has_perm(permission)


def _list(title: str, icon: str, noun: str, **more) -> dict:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:surveys_{noun}_changelist"),
        "permission": may(f"surveys.view_{noun}"),
        **more,
    }


def _page(title: str, icon: str, name: str, permission: str) -> dict:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(name),
        "permission": may(permission),
    }


SIDEBAR = [
    {
        "items": [
            {"title": "Today", "icon": "today", "link": reverse_lazy("admin:index")},
            _list(
                "Outreach tasks",
                "call",
                "outreachtask",
                badge="surveys.admin.dashboard.open_badge",
                badge_variant="primary",
            ),
        ]
    },
    {
        "title": "Ask",
        "items": [
            _list("Surveys", "quiz", "survey"),
            _list("Brands", "palette", "brand"),
            _list("Families", "family_history", "family"),
            _list("Waves", "waves", "wave"),
            _list("Triggers", "bolt", "trigger"),
            _list("Events", "history_toggle_off", "event"),
            _list("Invitations", "mail", "invitation"),
            _list("Open links", "qr_code_2", "openlink"),
            _list("Outbox", "outbox", "message"),
        ],
    },
    {
        "title": "Listen",
        "items": [
            _list("Answers", "reviews", "response"),
            _list("Incoming mails", "forward_to_inbox", "inboundmail"),
        ],
    },
    {
        "title": "Customers",
        "items": [
            _list("Accounts", "apartment", "account"),
            _list("Customers", "group", "customer"),
            _list("Do not write", "unsubscribe", "suppression"),
        ],
    },
    {
        "title": "Reports",
        "items": [
            _page("Board", "speed", "analysis:board", "surveys.view_outreachtask"),
            _page("Dashboard", "dashboard", "analysis:dashboard", "analysis.view_report"),
            _page("Closure", "task_alt", "analysis:closure", "analysis.view_report"),
            _page("Account health", "monitor_heart", "analysis:health", "analysis.view_report"),
            _page("Report", "monitoring", "analysis:report", "analysis.view_report"),
            _page("Themes", "category", "analysis:themes", "analysis.view_theme"),
        ],
    },
    {
        "title": "Settings",
        "separator": True,
        "items": [
            _list("Root causes", "account_tree", "rootcause"),
            _list("Mail templates", "stylus_note", "mailtemplate"),
            _list("Absences", "event_busy", "absence"),
            _list("Escalation", "trending_up", "escalationpolicy"),
            _list("Heads and executives", "contact_emergency", "escalationrecipient"),
            _list("Chat webhooks", "chat", "chathook"),
            _list("Teams", "groups", "team"),
            _list("Colleagues", "badge", "user"),
            _list("API keys", "key", "apikey"),
            _list("Audit", "history", "auditentry"),
            _list("Erasures", "person_off", "erasure"),
        ],
    },
]
