"""Comments that read as if shopkeepers had typed them between two customers."""

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

CAUSES = {
    "late_delivery": "Late delivery",
    "billing_errors": "Billing error",
    "slow_support": "Slow support",
    "app_crashes": "App crashes",
    "confusing_setup": "Confusing set-up",
    "price_rise": "Price rise",
    "missing_feature": "Missing feature",
    "rude_technician": "Technician's conduct",
}
STRENGTHS = ("friendly_staff", "easy_to_use", "reliable_payments", "quick_delivery")
LANGUAGES = ("en", "de", "fr", "es")

_SLOT = re.compile(r"{(\w+)}")
# All four parts together are rare: most people write one sentence or two.
_OPENS, _DETAILS, _SHORT, _TYPO = 0.35, 0.55, 0.05, 0.18
_CLOSES = {"detractor": 0.25, "passive": 0.4, "promoter": 0.3}


@cache
def phrases(language: str) -> dict[str, Any]:
    """The bank of one language; a language without a bank writes in English."""
    name = language if language in LANGUAGES else "en"
    return tomllib.loads((Path(__file__).parent / "phrases" / f"{name}.toml").read_text("utf-8"))


def comment(rng: random.Random, cause: str, band: str, language: str = "en") -> str:
    """One comment about `cause`, in the voice of `band` ("promoter", "passive", "detractor").

    Draws from `rng` only, so the same state gives the same words. Raises KeyError for a cause
    that the bank does not hold.
    """
    bank = phrases(language)
    if rng.random() < _SHORT:
        return rng.choice(bank["short"][band])
    text = _fill(rng, " ".join(_sentences(rng, bank, cause, band)), bank["slots"])
    return _typed(rng, text) if rng.random() < _TYPO else text


def _sentences(rng: random.Random, bank: dict[str, Any], cause: str, band: str) -> list[str]:
    about = bank[cause]
    mixed = band not in about
    body = rng.choice(about["passive" if mixed else band])
    parts = []
    if mixed and band == "promoter":
        parts.append(rng.choice(bank["mixed"]["promoter"]))
    elif rng.random() < _OPENS:
        parts.append(rng.choice(bank["openers"][band]))
    parts.append(_ended(rng, _cased(rng, body, parts), calm=band == "passive"))
    if mixed and band == "detractor":
        parts.append(rng.choice(bank["mixed"]["detractor"]))
    elif band != "passive" and not mixed and rng.random() < _DETAILS:
        parts.append(rng.choice(about["details"]))
    if rng.random() < _CLOSES[band]:
        parts.append(rng.choice(bank["closers"][band]))
    return parts


def _cased(rng: random.Random, body: str, before: list[str]) -> str:
    """Capital first letter where a sentence starts, for the people who bother."""
    goes_on = bool(before) and (before[-1][-1] in ",:" or before[-1][-1].isalpha())
    return body if goes_on or rng.random() < 0.25 else body[:1].upper() + body[1:]


def _ended(rng: random.Random, body: str, calm: bool) -> str:
    if body[-1] in ".!?":
        return body
    return body + rng.choice((".", ".", ".", ".") if calm else (".", ".", ".", ".", "!"))


def _fill(rng: random.Random, text: str, slots: dict[str, list[str]]) -> str:
    filled = _SLOT.sub(lambda match: rng.choice(slots[match[1]]), text)
    return filled[:1].upper() + filled[1:] if text[:1] == "{" and rng.random() < 0.8 else filled


def _typed(rng: random.Random, text: str) -> str:
    """The same text from a thumb in a hurry."""
    kind = rng.randrange(4)
    inside = [at for at in range(3, len(text) - 3) if text[at - 1 : at + 3].isalpha()]
    if kind == 0:
        return text.lower().rstrip(".")
    if kind == 1 and inside:
        at = rng.choice(inside)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 2 and inside:
        at = rng.choice(inside)
        return text[:at] + text[at + 1 :]
    return text.rstrip(".!") + rng.choice(("...", "!!", ""))
