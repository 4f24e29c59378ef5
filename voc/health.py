"""Two questions of a supervisor: is the process alive, and can it do its work?"""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from surveys.models import Tick

STALE_AFTER = 60  # seconds since the clock's last sweep


def healthz(request: HttpRequest) -> JsonResponse:
    """200 whenever this process answers at all; restart it otherwise."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and clock are in order, else 503 with the part that is not."""
    try:
        parts = {
            "database": "ok",
            "migrations": _migrations(),
            "clock": _clock(),
        }
    except DatabaseError:
        parts = {"database": "unreachable"}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(parts, status=200 if ready else 503)


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(pending)} pending" if pending else "ok"


def _clock() -> str:
    tick = Tick.objects.order_by("-at").first()
    if tick is None:
        return "never ticked"
    age = (timezone.now() - tick.at).total_seconds()
    return "ok" if age < STALE_AFTER else f"last tick {age:.0f} s ago"
