"""Addresses that name a row and that nobody can guess: bounces+17-k3v…@company.example for row 17.

They end in letters of an HMAC-SHA256 (RFC 2104) of what they are for and the row's number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from django.conf import settings


class SignedAddress:
    """Addresses for one `purpose`, which no address for another fits; `letters` carry 5 bits each.

    What is in mailboxes already is read by the same purpose and letters: neither may change.
    """

    def __init__(self, purpose: bytes, letters: int):
        self.purpose, self.letters = purpose, letters
        form = rf"[^@\s]*\+(\d{{1,18}})-([a-z2-7]{{{letters}}})@[^@\s]+"
        self.form = re.compile(form, re.IGNORECASE)

    def of(self, base: str, pk: int) -> str:
        """The address of row `pk`, at `base`, such as bounces@company.example."""
        local, _, domain = base.rpartition("@")
        return f"{local}+{pk}-{self._mac(pk)}@{domain}"

    def read(self, address: str) -> int | None:
        """The number of the row; None for any address that we did not make for this purpose.

        Mail servers may change the case; the domain does not matter, for it may be renamed.
        """
        found = self.form.fullmatch(address.strip())
        if found is None:
            return None
        pk, mac = int(found[1]), found[2].lower()
        return pk if hmac.compare_digest(mac, self._mac(pk)) else None

    def _mac(self, pk: int) -> str:
        """In letters and digits that survive any mail server."""
        about = b"%s|%d" % (self.purpose, pk)
        mac = hmac.digest(settings.LINK_KEY.encode(), about, hashlib.sha256)
        return base64.b32encode(mac)[: self.letters].decode().lower()
