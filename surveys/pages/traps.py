"""The traps of a page: what tells a machine that presses buttons from a person.

Pure: they judge what was sent and how, and write nothing. Whoever is caught is asked to press once
more (`again.html`), so that a quick person is never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from surveys.models import Sign
from surveys.pages.nonces import AGAIN, DECOY, Nonce

HIDDEN_FIELD = "homepage"  # in every form, where nobody sees it; no browser fills it in by itself
WALKED = 2  # links of different customers within 10 seconds: more is a walk
UNHURRIED = 3.0  # seconds
PROGRAMS = re.compile(r"bot|crawl|curl|headless|http|java|python|scan|spider|wget", re.IGNORECASE)


def signs_of_press(
    nonce: Nonce, posted: Mapping[str, str], headers: Mapping[str, str], walked: int, now: datetime
) -> list[Sign]:
    """Why this press looks like a machine's, most certain first; empty for a person's.

    `walked` is of how many invitations the client opened links within 10 seconds. That alone says
    nothing, for a whole office may sit behind one address.
    """
    signs = []
    if nonce.form == DECOY:
        signs.append(Sign.DECOY)
    if posted.get(HIDDEN_FIELD):
        signs.append(Sign.HIDDEN_FIELD)
    if nonce.is_hasty(now):
        signs.append(Sign.TOO_FAST)
    if nonce.form == AGAIN:
        return signs
    if is_scripted(headers):
        signs.append(Sign.SCRIPTED)
    if walked > WALKED and (signs or _looks_like_a_program(nonce, headers, now)):
        signs.append(Sign.WALKER)
    return signs


def is_scripted(headers: Mapping[str, str]) -> bool:
    """Chromium says of each form whether a hand, a key or an assistive tool has sent it: without
    `Sec-Fetch-User` it was a script (W3C Fetch Metadata, 2.4). Others say nothing either way."""
    is_chromium = "Sec-CH-UA" in headers and headers.get("Sec-Fetch-Mode") == "navigate"
    return is_chromium and "Sec-Fetch-User" not in headers


def _looks_like_a_program(nonce: Nonce, headers: Mapping[str, str], now: datetime) -> bool:
    """The second signal that a walk needs."""
    is_hurried = (now - nonce.seen_at).total_seconds() < UNHURRIED
    agent = headers.get("User-Agent", "")
    is_program = not agent or PROGRAMS.search(agent) is not None
    return is_hurried or is_program or not headers.get("Accept-Language")
