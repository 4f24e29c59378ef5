"""QR codes of addresses, for screens and for paper (ISO/IEC 18004)."""

from __future__ import annotations

from io import BytesIO

import segno

MARGIN = 4  # modules, the quiet zone that readers need
PIXELS = 20  # of a module: some 1,000 for the whole, which prints 8 cm wide at 300 dpi


def svg(text: str) -> bytes:
    """Scales to any size."""
    return _saved(text, "svg", scale=8)


def png(text: str) -> bytes:
    return _saved(text, "png", scale=PIXELS)


def _saved(text: str, kind: str, scale: int) -> bytes:
    """Level M: 15 % of it may be dirty or torn. White behind, so that it is read on any paper."""
    out = BytesIO()
    code = segno.make_qr(text, error="m", boost_error=False)
    code.save(out, kind=kind, scale=scale, border=MARGIN, dark="#000", light="#fff")
    return out.getvalue()
