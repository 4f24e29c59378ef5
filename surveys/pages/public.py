"""What every page for customers shares: looking writes nothing, and nobody else keeps a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from csp.decorators import csp
from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from surveys.pages.clients import address_of, guesses_too_much

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
POLICY = {
    "default-src": ["'none'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """No cookies (a signed nonce takes CSRF's place), a strict policy, and PostgreSQL itself
    refuses to write while a page is only looked at."""

    @csrf_exempt
    @csp(POLICY)
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method in SAFE_METHODS:
            with read_only():
                response = view(request, *args, **kwargs)
        else:
            response = view(request, *args, **kwargs)
        for header, value in HEADERS.items():
            response[header] = value
        return response

    return guarded


@contextmanager
def read_only() -> Iterator[None]:
    """A transaction in which PostgreSQL refuses to write, begun by a single statement.

    Inside of another transaction a savepoint, up to whose end it refuses.
    """
    if connection.in_atomic_block:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            yield
        return
    connection.ensure_connection()
    session = connection.connection
    session.read_only = True
    try:
        with transaction.atomic():
            yield
    finally:
        session.read_only = None


def framed_by(origins: list[str], response: HttpResponse) -> HttpResponse:
    """Let pages of these origins, and of no others, show this one in a frame."""
    if origins:
        response._csp_replace = {"frame-ancestors": origins}
        response.xframe_options_exempt = True  # that header knows one origin at most: ours
    return response


def gone(request: HttpRequest) -> HttpResponse:
    """The one page for links that are unknown, expired or meant for something else."""
    return render(request, "surveys/pages/gone.html", {"company": settings.COMPANY}, status=404)


def unknown(request: HttpRequest) -> HttpResponse:
    """The same for a token that was never one, which counts against whoever tries many.

    Links that were are served all the same: a colleague behind the same address may have one.
    """
    if not guesses_too_much(address_of(request)):
        return gone(request)
    too_many = HttpResponse("Too many unknown links. Try again in a minute.\n", status=429)
    too_many["Content-Type"], too_many["Retry-After"] = "text/plain; charset=utf-8", "60"
    return too_many
