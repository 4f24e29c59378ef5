"""A machine's way in: a key sent as `Authorization: Bearer voc_…`, worth what its owner may do."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.throttling import SimpleRateThrottle

from surveys.models import ApiKey, AuditEntry, User

REMEMBER_USE_EVERY = timedelta(minutes=1)  # a row is not written for each request


def issue(
    name: str,
    user: User,
    scope: str,
    now: datetime,
    expires_at: datetime | None = None,
    by: User | None = None,
) -> tuple[ApiKey, str]:
    """A new key (scope: ApiKey.Scope) and its text: `voc_`, a prefix to name it, 256 random bits.

    The text is returned this once and cannot be found again, as only its digest is kept.
    """
    prefix = secrets.token_hex(4)
    text = f"voc_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            digest=digest(text),
            scope=scope,
            user=user,
            created_at=now,
            expires_at=expires_at,
        )
        after = {"prefix": prefix, "scope": scope, "user": user.pk}
        AuditEntry.record("issue", key, now, actor=by or user, after=after)
    return key, text


def revoke(key: ApiKey, by: User, now: datetime) -> ApiKey:
    """From now on the key opens nothing; revoking it twice changes nothing."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            AuditEntry.record("revoke", key, now, actor=by)
    key.refresh_from_db()
    return key


def digest(text: str) -> bytes:
    """SHA-256; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


class KeyAuthentication(BaseAuthentication):
    """RFC 6750. The key is found by its digest: how long that takes tells nothing about the key."""

    def authenticate(self, request) -> tuple[User, ApiKey] | None:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        now = timezone.now()
        key = ApiKey.objects.select_related("user").filter(digest=digest(text.strip())).first()
        self._refuse(key, now)
        _remember_use(key, now)
        return key.user, key

    def _refuse(self, key: ApiKey | None, now: datetime) -> None:
        if key is None:
            raise AuthenticationFailed("No such key. Check that it was copied whole.")
        if key.revoked_at:
            raise AuthenticationFailed("This key was revoked.")
        if key.expires_at and key.expires_at <= now:
            raise AuthenticationFailed(f"This key expired on {key.expires_at:%Y-%m-%d}.")
        if not key.user.is_active:
            raise AuthenticationFailed("The colleague this key belongs to is not active any more.")

    def authenticate_header(self, request) -> str:
        error = ', error="invalid_token"' if "Authorization" in request.headers else ""
        return f'Bearer realm="voc"{error}'


def _remember_use(key: ApiKey, now: datetime) -> None:
    stale = now - REMEMBER_USE_EVERY
    if key.last_used_at is None or key.last_used_at <= stale:
        unused = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        ApiKey.objects.filter(unused, pk=key.pk).update(last_used_at=now)


class HasScope(BasePermission):
    """Reading needs any key, writing one with the write scope; and its colleague's role must hold
    the permission that the view's `needs` names for the method. What is not named is forbidden.
    """

    def has_permission(self, request, view) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        method = "GET" if request.method == "HEAD" else request.method
        if method.lower() not in view.http_method_names or not hasattr(view, method.lower()):
            return True  # there is nothing to protect: the answer will be 405
        if method not in SAFE_METHODS and request.auth.scope != ApiKey.Scope.WRITE:
            self.message = "This key may only read. Writing needs a key with the write scope."
            return False
        self.message = "The role of this key's colleague does not allow this."
        return method in view.needs and request.user.has_perm(view.needs[method])


class KeyThrottle(SimpleRateThrottle):
    """So many requests a minute for each key and process (DEFAULT_THROTTLE_RATES["key"])."""

    scope = "key"

    def get_cache_key(self, request, view) -> str | None:
        if not isinstance(request.auth, ApiKey):
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}
