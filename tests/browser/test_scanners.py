"""Mail scanners at the customers' pages: `make scanners` in small, and its control."""

import os

import pytest

from tests.bench.scanners import describe, figures, holds, scan
from tests.bench.web import Web
from tests.faults.conftest import environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(tmp_path, settings):
    """Starts the web process of production on this test's database, behind a proxy."""
    started = []

    def start(**more: str) -> Web:
        here = {"DJANGO_SETTINGS_MODULE": "tests.bench.production", "PROXY_COUNT": "1"}
        here |= {"RECORD_VISITS": "1"}  # the traps of one link warn those of the others
        here |= {"BENCH_STATIC": str(tmp_path), **more}
        server = Web("web", tmp_path / "web.log", os.environ | environment() | here).start()
        started.append(server)
        settings.SITE_URL = server.site
        return server

    yield start
    for server in started:
        server.stop()


@pytest.mark.timeout(90)  # it is to take no longer in CI
def test_scanners_leave_no_answer_no_opt_out_and_no_task(web, nps, chromium):
    scans = scan(nps, web().port, chromium, links=200, in_chromium=10)
    found = figures(scans)
    assert holds(found), "\n".join(map(describe, scans))
    assert (found["links"], found["profiles"]) == (200, 11)


def test_a_page_that_takes_a_look_for_an_answer_is_found_out(web, nps, chromium):
    """The control."""
    careless = web(BENCH_URLS="tests.bench.careless")
    found = figures(scan(nps, careless.port, chromium, links=24, in_chromium=0))
    assert not holds(found)
    assert found["answers"] > 0
    assert found["tasks"] > 0
