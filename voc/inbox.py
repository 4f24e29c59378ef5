"""The customers' and colleagues' mail, for a machine without a mail server. Only with EMBEDDED."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime
from pathlib import Path

from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_sameorigin

from voc.embedded.inbox import newest_first

NEWEST = 100


class Mail:
    """One mail of the Maildir, read when a page asks for it."""

    def __init__(self, key: str, file: Path):
        self.key = key
        self.parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        received = datetime.fromtimestamp(file.stat().st_mtime, timezone.get_current_timezone())
        self.received_at = received

    def _header(self, name: str) -> str:
        return str(self.parsed[name] or "")

    @property
    def sender(self) -> str:
        return self._header("From")

    @property
    def recipient(self) -> str:
        return self._header("To")

    @property
    def subject(self) -> str:
        return self._header("Subject")

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        return part.get_content() if part else ""


def _files() -> dict[str, Path]:
    """Mails by key, newest first."""
    return {file.name: file for file in newest_first(Path(settings.INBOX_DIR))}


def _find(key: str) -> Mail:
    files = _files()
    if key not in files:
        raise Http404("There is no such mail.")
    return Mail(key, files[key])


def inbox(request: HttpRequest) -> HttpResponse:
    wanted = request.GET.get("to", "").strip().lower()
    mails = [Mail(key, file) for key, file in list(_files().items())[:NEWEST]]
    shown = [mail for mail in mails if wanted in mail.recipient.lower()]
    return render(request, "voc/inbox.html", {"mails": shown, "wanted": wanted, "newest": NEWEST})


@csp_update({"frame-src": ["'self'"]})
def mail(request: HttpRequest, key: str) -> HttpResponse:
    return render(request, "voc/mail.html", {"mail": _find(key)})


@xframe_options_sameorigin
@csp({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "frame-ancestors": ["'self'"]})
def body(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML of a mail as its sender wrote it, for the frame of its page: nothing in it runs."""
    html = _find(key).html.replace("<head>", '<head><base target="_top">', 1)
    return HttpResponse(html)


app_name = "inbox"
urlpatterns = [
    path("", inbox, name="list"),
    path("<str:key>/", mail, name="mail"),
    path("<str:key>/body", body, name="body"),
]
