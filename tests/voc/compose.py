"""docker-compose.yml and the Dockerfile, read as Docker reads them."""

import json
import re
import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::(?P<how>[?-])(?P<text>[^}]*))?\})")


class Missing(Exception):
    """A variable that the file insists on (`${NAME:?why}`) is not set or empty."""


def substituted(text: str, variables: dict[str, str]) -> str:
    """`text` with its `${NAME}`, `${NAME:-default}` and `${NAME:?why}`. Raises Missing."""

    def value(match: re.Match) -> str:
        if match["name"] is None:
            return "$"
        given = variables.get(match["name"], "")
        if not given and match["how"] == "?":
            raise Missing(f"{match['name']}: {match['text']}")
        return given or match["text"] or ""

    return VARIABLE.sub(value, text)


class Deployment:
    """What the containers would run. `variables` are those of the `.env` file; `places` translates
    what only exists inside containers, such as `db:5432`, to where it is here.
    """

    def __init__(self, variables: dict[str, str], places: dict[str, str]):
        text = (ROOT / "docker-compose.yml").read_text()
        for there, here in places.items():
            text = text.replace(there, here)
        self.variables = variables
        self.services = yaml.safe_load(substituted(text, variables))["services"]
        self.dockerfile = instructions((ROOT / "Dockerfile").read_text())

    def environment(self, service: str) -> dict[str, str]:
        return self.variables | self.services[service]["environment"]

    def command(self, service: str) -> list[str]:
        return self.services[service].get("command") or json.loads(self._last("CMD"))

    def health_check(self, service: str) -> list[str]:
        check = self.services[service].get("healthcheck", {}).get("test")
        if check is None:
            check = ["CMD", *json.loads(self._last("HEALTHCHECK").partition("CMD")[2])]
        kind, *words = check
        return ["sh", "-c", *words] if kind == "CMD-SHELL" else words

    def copied(self) -> list[list[str]]:
        """The sources and destination of each COPY from the checkout."""
        lines = (shlex.split(rest) for name, rest in self.dockerfile if name == "COPY")
        return [words for words in lines if not words[0].startswith("--from")]

    def built_by(self) -> list[str]:
        """The shell lines that the build runs on our own sources."""
        return [rest for name, rest in self.dockerfile if name == "RUN" and "manage.py" in rest]

    def _last(self, instruction: str) -> str:
        return [rest for name, rest in self.dockerfile if name == instruction][-1]


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Name and rest of each instruction, its continued lines joined."""
    lines = (line for line in dockerfile.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]
