"""The calendar and the workers of docker-compose.yml: each queue has somebody who works on it."""

import pytest
import yaml
from celery import current_app

from tests.voc.compose import ROOT


@pytest.fixture
def workers() -> dict[str, set[str]]:
    """The queues of each service that works."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = {name: service.get("command", []) for name, service in services.items()}
    return {
        name: set(command[command.index("--queues") + 1].split(","))
        for name, command in commands.items()
        if "--queues" in command
    }


def test_every_queue_of_the_calendar_is_worked_on(workers):
    calendar = current_app.conf.beat_schedule.values()
    wanted = {entry.get("options", {}).get("queue", "celery") for entry in calendar}
    assert wanted == set().union(*workers.values())


def test_the_reaper_has_a_worker_that_does_nothing_else(workers):
    assert [queues for queues in workers.values() if "reaper" in queues] == [{"reaper"}]
    options = current_app.conf.beat_schedule["free abandoned mail"]["options"]
    assert options["queue"] == "reaper"
