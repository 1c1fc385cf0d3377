"""A RabbitMQ short of disk or memory in the middle of a run: waited for, or given up with 4."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.crash.rabbitmq_ways import SOME_BYTES, kept, through
from tests.spine.buses import check_agrees, check_received, run_on
from tests.stream_broker import Server

pytestmark = [pytest.mark.service, pytest.mark.crash, pytest.mark.xdist_group("rabbitmq")]

RAISED = {
    "memory": ("set_vm_memory_high_watermark", "0.0000001"),
    "disk": ("set_disk_free_limit", "900000GB"),
}
LIFTED = {
    "memory": ("set_vm_memory_high_watermark", "0.4"),
    "disk": ("set_disk_free_limit", "50MB"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept() as found:
        yield found


class Heard(logging.Handler):
    """Does something at the first warning of a bus."""

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self._then: list[Callable[[], object]] = [then]

    def emit(self, record: logging.LogRecord) -> None:
        while self._then:
            self._then.pop()()


@contextmanager
def heard(then: Callable[[], object]) -> Iterator[None]:
    """While a run is at work."""
    log, handler = logging.getLogger("isb-migrate.rabbitmq"), Heard(then)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@pytest.mark.parametrize(
    ("kind", "alarm"),
    [("direct", "memory"), ("direct", "disk"), ("tap", "disk"), ("stream", "disk")],
)
def test_an_alarm_is_waited_for(
    kind: str, alarm: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Raised in the middle of a window, lifted once the run has said that it waits."""
    control = server.node.control
    with through(kind, server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=30 if kind != "stream" else 10)
        way.proxy.call_after(SOME_BYTES, lambda: control(*RAISED[alarm]))
        with heard(lambda: control(*LIFTED[alarm])):
            ran = run_on(ran)
        check_agrees(ran)
        check_received(ran, list(way.received()))


@pytest.mark.parametrize(
    ("kind", "alarm"), [("direct", "memory"), ("direct", "disk"), ("stream", "disk")]
)
def test_an_alarm_that_lasts_ends_the_run(
    kind: str,
    alarm: str,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With 4 and its reason; when it is over, the same command publishes what is left."""
    control = server.node.control
    with through(kind, server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=3)
        way.proxy.call_after(SOME_BYTES, lambda: control(*RAISED[alarm]))
        try:
            assert run_on(ran).code == 4
            assert alarm in capsys.readouterr().err
        finally:
            control(*LIFTED[alarm])
        ran = run_on(ran)
        check_agrees(ran)
        check_received(ran, list(way.received()))


def test_memory_does_not_stop_who_publishes_to_streams_by_their_own_protocol(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """RabbitMQ 3.10 blocks them for its disk alone: what it confirms is there."""
    server.node.control(*RAISED["memory"])
    try:
        with through("stream", server, monkeypatch) as way:
            ran = run_on(way.estate(tmp_path, patience_s=5))
            check_agrees(ran)
    finally:
        server.node.control(*LIFTED["memory"])
