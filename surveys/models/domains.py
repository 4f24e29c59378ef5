"""Domains as the DNS knows them."""

from __future__ import annotations

import idna


def in_ascii(domain: str) -> str:
    """straße.example as xn--strae-oqa.example: IDNA 2008 (RFC 5891) after the mapping of UTS 46.

    The standard library knows IDNA 2003 only, which writes that as strasse.example: a domain of
    somebody else. Raises ValueError for what is no domain.
    """
    if domain.isascii():
        return domain.encode("idna").decode("ascii")  # which only measures its labels
    return idna.encode(domain, uts46=True).decode("ascii")
