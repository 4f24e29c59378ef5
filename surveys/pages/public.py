"""What every page for customers shares: looking writes nothing, and nobody else keeps a copy."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from csp.decorators import csp
from django.core import signing
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NONCE_AGE = 24 * 3600  # seconds
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
nonces = signing.TimestampSigner(salt="surveys.pages.nonce")


def public_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """No cookies (a signed nonce takes CSRF's place), a strict policy, and PostgreSQL itself
    refuses to write while a page is only looked at."""

    @csrf_exempt
    @csp(POLICY)
    @wraps(view)
    def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method in SAFE_METHODS:
            with transaction.atomic():
                connection.cursor().execute("SET TRANSACTION READ ONLY")
                response = view(request, *args, **kwargs)
        else:
            response = view(request, *args, **kwargs)
        for header, value in HEADERS.items():
            response[header] = value
        return response

    return guarded


def gone(request: HttpRequest) -> HttpResponse:
    """The one page for links that are unknown, expired or meant for something else."""
    return render(request, "surveys/pages/gone.html", status=404)


def nonce(token: str) -> str:
    """Proof that the form was fetched before it was sent; bound to the link, good for 24 hours."""
    return nonces.sign(token.lower())


def nonce_is_good(text: str, token: str) -> bool:
    try:
        return nonces.unsign(text, max_age=NONCE_AGE) == token.lower()
    except signing.BadSignature:
        return False
