"""The private broker speaks to Celery and keeps what it was given."""

import os
import signal

from celery import Celery
from kombu.pools import reset

from voc.embedded.broker import Broker


def waiting(broker: Broker) -> int:
    with Celery(broker=broker.url).connection() as connection:
        return connection.default_channel.client.llen("celery")


def send(broker: Broker, count: int) -> None:
    app = Celery(broker=broker.url)
    for number in range(count):
        app.send_task("some.task", [number])
    app.close()
    reset()


def test_messages_outlive_a_stop(tmp_path):
    with Broker(tmp_path / "broker") as broker:
        send(broker, 3)
    with Broker(tmp_path / "broker") as broker:
        assert waiting(broker) == 3


def test_messages_outlive_a_killed_broker(tmp_path):
    with Broker(tmp_path / "broker") as broker:
        send(broker, 3)
        os.kill(broker.pid, signal.SIGKILL)
        broker.stop()
        broker.start()
        assert waiting(broker) == 3


def test_nobody_else_can_connect(tmp_path):
    with Broker(tmp_path / "broker") as broker:
        assert broker.socket.stat().st_mode & 0o777 == 0o700
        assert broker.directory.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path):
    with Broker(tmp_path / ("d" * 90) / "broker") as broker:
        send(broker, 1)
        assert waiting(broker) == 1
        short = broker.socket.parent
    assert not short.exists()
