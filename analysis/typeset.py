"""`python -m analysis.typeset < report.json > report.pdf`: the PDF of a report.

A process of its own, because the typesetter with its fonts is larger than the web process. Texts
reach the template as values, never as markup.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typst

TEMPLATE = Path(__file__).parent / "typst" / "report.typ"


def pdf(report: dict) -> bytes:
    """`report` as `analysis.pages.files` writes it."""
    return typst.compile(str(TEMPLATE), sys_inputs={"report": json.dumps(report)})


if __name__ == "__main__":
    sys.stdout.buffer.write(pdf(json.load(sys.stdin)))
