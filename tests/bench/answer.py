"""`make bench-answer`: complete answers of detractors, against the smallest pages that take one.

A complete answer is three requests: the page with the scores, the press of its button, which is the
answer and opens its task, and the press of the button of the page after it, with a comment. Product
and reference (tests/bench/reference.py) ask in the same steps. Eight clients fetch the pages of a
round, wait until the nonces are old enough for a person, press, wait again, and send the comment;
the waiting is not counted. Each customer has an address of their own. Both take turns on the same
server with the same settings; every answer has to be counted, with its task and its comment.
PostgreSQL itself counts the statements: `sql_get` are those of the page, `sql_post` those of the
press that takes more of them. `p99_ms_c8` is of all three requests together.
ANSWERS (a round, each) and ROUNDS come from the environment.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from urllib.parse import urlencode

import psutil

from tests.bench import house
from tests.bench.forms import seen_form
from tests.bench.statements import statements_of
from tests.bench.web import Web, as_in_production, exchange, request
from voc.embedded.broker import Broker
from voc.embedded.servers import session

ANSWERS = int(os.environ.get("ANSWERS", "300"))
ROUNDS = int(os.environ.get("ROUNDS", "6"))
CLIENTS = 8
OLD_ENOUGH = 1.2  # seconds; a nonce has to be one second old
LOWEST_RATE, HIGHEST_CPU, MOST_GET, MOST_POST = 0.7, 1.5, 2, 5
SCORE = {"score": "3"}
COMMENT = {"comment": "The parcel came a week late, and nobody could tell me where it was."}
addresses = (f"127.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in count(1 << 16))


@dataclass(frozen=True)
class Measured:
    rate: float  # answers a second
    cpu: float  # milliseconds an answer, of the web processes and of PostgreSQL
    latencies: list[float]  # seconds, of the page and both presses


@dataclass(frozen=True)
class Taker:
    """Something that takes answers: how to invite, and how many of the invited have answered."""

    web: Web
    invite: Callable[[int], list[str]]  # number to paths
    counted: Callable[[], int]

    def round(self, pool: ThreadPoolExecutor, number: int) -> Measured:
        before, visits = (
            self.counted(),
            [Visit(self.web.port, path) for path in self.invite(number)],
        )
        spent = self.cpu()
        seconds = timed(lambda: list(pool.map(Visit.look, visits)))
        for said in (SCORE, COMMENT):
            time.sleep(OLD_ENOUGH)
            send = partial(Visit.press, said=said)
            seconds += timed(lambda send=send: list(pool.map(send, visits)))
        time.sleep(0.3)  # what is done after the response is a part of the price
        spent = self.cpu() - spent
        if (counted := self.counted() - before) != number:
            raise SystemExit(f"{self.web.name}: of {number} answers {counted} were counted")
        latencies = [visit.seconds for visit in visits]
        return Measured(number / seconds, spent * 1000 / number, latencies)

    def cpu(self) -> float:
        """Seconds spent so far by the web and database processes, also by those that have ended."""
        leaders = [server.pid for server in (self.web, house.DATABASE) if server.pid]
        running = [process.cpu_times() for one in leaders for process in session(one)]
        ended = [psutil.Process(one).cpu_times() for one in leaders]
        return sum(one.user + one.system for one in running) + sum(
            one.children_user + one.children_system for one in ended
        )


class Visit:
    """One customer, at one page after the other."""

    def __init__(self, port: int, path: str):
        self.port, self.path, self.address, self.seconds = port, path, next(addresses), 0.0
        self.page = ""

    def look(self) -> None:
        self._exchange(request("GET", self.path))

    def press(self, said: dict[str, str]) -> None:
        """The button of the page that is there, with what is said added to its form."""
        form = seen_form(self.page)
        body = urlencode(form.values | said | form.buttons[0]).encode()
        self._exchange(request("POST", form.action or self.path, body))

    def _exchange(self, sent: bytes) -> None:
        began = time.perf_counter()
        reply = exchange(self.port, sent, self.address)
        self.seconds += time.perf_counter() - began
        if reply.status != 200:
            raise SystemExit(f"{reply.status} from {self.path}: {reply.text[:2000]}")
        self.page = reply.text


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def product(environment: dict[str, str]) -> Taker:
    from surveys.models import Account, Customer, Invitation, OutreachTask, User

    owner = User.objects.create_user("owner@northwind.example", name="Owner")
    account = Account.objects.create(name="Lakeside Mills", owner=owner)

    def invite(number: int) -> list[str]:
        house.queue_invitations(number)
        Customer.objects.filter(account=None).update(account=account)
        newest = Invitation.objects.order_by("-pk")[:number]
        return [f"/a/{invitation.token()}" for invitation in newest]

    def counted() -> int:
        told = {f"response__{name}": said for name, said in COMMENT.items()}
        return OutreachTask.objects.open().filter(response__verdict="person", **told).count()

    return Taker(Web("product", house.HOME / "product.log", environment), invite, counted)


def reference(environment: dict[str, str]) -> Taker:
    from django.db import connection

    from tests.bench.reference import Answer, Invitation, Task

    with connection.schema_editor() as editor:
        for model in (Invitation, Answer, Task):
            editor.create_model(model)
    tokens = (f"{n:026d}" for n in count())

    def invite(number: int) -> list[str]:
        new = Invitation.objects.bulk_create(Invitation(token=next(tokens)) for _ in range(number))
        return [f"/a/{invitation.token}" for invitation in new]

    def counted() -> int:
        return Task.objects.filter(
            **{f"answer__{name}": said for name, said in COMMENT.items()}
        ).count()

    urls = environment | {"BENCH_URLS": "tests.bench.reference"}
    return Taker(Web("reference", house.HOME / "reference.log", urls), invite, counted)


def statements(taker: Taker) -> tuple[int, int]:
    """SQL statements of a page, and of the press that takes more of them."""
    visits = [Visit(taker.web.port, path) for path in taker.invite(3)]
    get = max(statements_of(visit.look, "page") for visit in visits)
    post = 0
    for name, said in (("score", SCORE), ("comment", COMMENT)):
        time.sleep(OLD_ENOUGH)
        presses = [partial(visit.press, said) for visit in visits]
        post = max(post, *(statements_of(press, name) for press in presses))
    return get, post


def compare(takers: list[Taker], pool: ThreadPoolExecutor) -> dict[str, float]:
    rounds = []
    for _ in range(ROUNDS):
        ours, theirs = (taker.round(pool, ANSWERS) for taker in takers)
        rounds.append((ours, theirs))
        print(
            f"product {ours.rate:5.0f} answers/s {ours.cpu:5.2f} ms CPU; "
            f"reference {theirs.rate:5.0f} answers/s {theirs.cpu:5.2f} ms CPU",
            flush=True,
        )
    latencies = sorted(second for ours, _ in rounds for second in ours.latencies)
    median = statistics.median
    return {
        "rate_vs_reference": round(median(ours.rate / theirs.rate for ours, theirs in rounds), 2),
        "cpu_vs_reference": round(median(ours.cpu / theirs.cpu for ours, theirs in rounds), 2),
        "ref_per_s": round(median(theirs.rate for _, theirs in rounds), 1),
        "ref_cpu_ms": round(median(theirs.cpu for _, theirs in rounds), 2),
        "p99_ms_c8": round(latencies[int(len(latencies) * 0.99)] * 1000, 1),
    }


def main() -> None:
    with house.open_house(), Broker(house.HOME / "broker") as broker:
        house.start_django()
        environment = as_in_production(house.HOME / "static", CELERY_BROKER_URL=broker.url)
        takers = [product(environment), reference(environment)]
        with takers[0].web, takers[1].web, ThreadPoolExecutor(CLIENTS) as pool:
            for taker in takers:
                taker.round(pool, ANSWERS)  # to warm up
            get, post = statements(takers[0])
            found = compare(takers, pool) | {"sql_get": get, "sql_post": post}
    print(json.dumps(found))
    is_fast = found["rate_vs_reference"] >= LOWEST_RATE
    is_light = found["cpu_vs_reference"] <= HIGHEST_CPU
    sys.exit(0 if is_fast and is_light and 1 <= get <= MOST_GET and post <= MOST_POST else 1)


if __name__ == "__main__":
    main()
