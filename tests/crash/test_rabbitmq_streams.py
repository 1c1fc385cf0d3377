"""A RabbitMQ that is killed, or short of disk or memory, under a run onto its streams, read
directly or beside queues as taps, by AMQP and by the stream protocol: the run goes on, or ends with
4 and the same command goes on."""

import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from tests.proxy import Proxy
from tests.rabbitmq import Host
from tests.spine.buses import Ran, Received, check_agrees, check_received, estate_on, run_on
from tests.spine.estate import isb_migrate
from tests.spine.rabbitmq_consumers import received, received_of_streams, streamed, taken
from tests.stream_broker import Server

pytestmark = [pytest.mark.service, pytest.mark.crash, pytest.mark.xdist_group("rabbitmq")]

ROOT = Path(__file__).parents[2]
SOME_BYTES = 150_000
"""Of what a run of the sample estate sends: the kill falls among its first windows."""

KINDS = ("direct", "tap", "stream")
"""`rabbitmq` with streams, with taps beside quorum queues; `rabbitmq-stream`."""


RAISED = {
    "memory": ("set_vm_memory_high_watermark", "0.0000001"),
    "disk": ("set_disk_free_limit", "900000GB"),
}
LIFTED = {
    "memory": ("set_vm_memory_high_watermark", "0.4"),
    "disk": ("set_disk_free_limit", "50MB"),
}


@dataclass(frozen=True)
class Way:
    """How a run comes to a virtual host of the server."""

    kind: str
    server: Server
    host: Host
    proxy: Proxy

    def estate(self, folder: Path, patience_s: int) -> Ran:
        """A sample estate whose plan goes that way; nothing is run."""
        if self.kind == "stream":
            kind, options = "rabbitmq-stream", f"patience_s = {patience_s}"
        else:
            kind, options = "rabbitmq", f'timeout_s = {patience_s}, management = "{self.web}"'
            options += f", blocked_s = {patience_s}"
        options += ', queue = "stream"' if self.kind == "direct" else ""
        bus = f'[bus.metip]\nkind = "{kind}"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}'
        ramps = 'observe = "tap"' if self.kind == "tap" else None
        return estate_on(folder, bus, ramps, messages=300)

    @property
    def web(self) -> str:
        return self.host.management

    def delete(self, queue: str) -> None:
        """Delete the stream of an off-ramp's lane."""
        name = f"metip.{queue}" if self.kind == "stream" else queue
        self.host.ask("DELETE", f"/api/queues/{self.host.name}/{name}")

    def make_again(self, ran: Ran) -> None:
        """Make what a plan needs and the virtual host lacks."""
        code, _ = isb_migrate("topology", "apply", ran.estate / "plan.toml")
        assert code == 0

    def received(self) -> Iterator[Received]:
        """What consumers get."""
        if self.kind == "stream":
            return received_of_streams(self.server, self.host.name)
        return received(self.host, streamed if self.kind == "direct" else taken)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A node that has had streams for a while."""
    found = Server()
    found.node.keep_streams()
    yield found
    found.node.end()


@pytest.fixture(params=KINDS)
def way(
    request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Way]:
    with through(request.param, server, monkeypatch) as found:
        yield found


@contextmanager
def through(kind: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """A way to an empty virtual host, which can be cut."""
    with server.node.host() as host:
        proxy = Proxy(server.port if kind == "stream" else host.port)
        by_amqp = host.url.replace(f":{host.port}/", f":{proxy.port}/")
        url = server.url(host.name, proxy.port) if kind == "stream" else by_amqp
        monkeypatch.setenv("METIP_URL", url)
        yield Way(kind, server, host, proxy)
        proxy.close()


def test_a_node_that_is_killed_and_started_again(way: Way, tmp_path: Path) -> None:
    """The run ends with 4 as long as the node is away; then the same command asks the streams and
    publishes what they lack."""
    ran = way.estate(tmp_path, patience_s=5)
    way.proxy.cut_after(SOME_BYTES, way.server.node.kill)
    assert run_on(ran).code == 4
    assert run_on(ran).code == 4
    way.server.node.start()
    ran = run_on(ran)
    check_agrees(ran)
    check_received(ran, list(way.received()))


@pytest.mark.parametrize("kind", ["direct", "stream"])
def test_streams_that_do_not_come_back_by_themselves(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A node killed within a second of its first stream forgets who coordinates them: nothing is
    confirmed, nothing hangs, and once its operator has brought them back the same run goes on."""
    server = Server()
    node, dead = server.node, Event()
    names = node.coordination / "names.dets"
    without = names.read_bytes()

    def kill() -> None:
        node.kill()
        names.write_bytes(without)
        dead.set()

    with through(kind, server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=5)
        way.proxy.cut_after(SOME_BYTES, kill)
        assert run_on(ran).code == 4
        assert dead.wait(60)
        node.start()
        capsys.readouterr()
        assert run_on(ran).code == 4
        told = capsys.readouterr().err
        assert "lead" in told
        assert "docs/reference/buses.md" in told
        node.bring_back_streams()
        ran = run_on(ran)
        check_agrees(ran)
        check_received(ran, list(way.received()))
    node.end()


def test_a_node_that_comes_back_in_time(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the stream protocol the run waits for it, and sends again what had no answer."""

    def restart() -> None:
        server.node.kill()
        server.node.start()

    with through("stream", server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=120)
        way.proxy.cut_after(SOME_BYTES, restart)
        ran = run_on(ran)
        check_agrees(ran)
        check_received(ran, list(way.received()))


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


def test_a_connection_that_is_cut(way: Way, tmp_path: Path) -> None:
    """By AMQP the run ends with 4 and the same command goes on; by the stream protocol it connects
    anew and sends again what had no answer."""
    ran = way.estate(tmp_path, patience_s=20)
    way.proxy.cut_after(SOME_BYTES)
    ran = run_on(ran)
    if way.kind != "stream":
        assert ran.code == 4
        ran = run_on(ran)
    check_agrees(ran)
    check_received(ran, list(way.received()))


def test_the_command_itself_is_killed(way: Way, tmp_path: Path) -> None:
    """The real process gets SIGKILL in the middle of a window."""
    ran = way.estate(tmp_path, patience_s=20)
    where = ("--runs", ran.run.parent, "--run-id", ran.run.name, "--progress", "none")
    words = [sys.executable, "-m", "migrate", "run", ran.estate / "plan.toml", *where]
    process = subprocess.Popen([str(word) for word in words], cwd=ROOT, env=dict(os.environ))
    way.proxy.cut_after(SOME_BYTES, lambda: process.send_signal(signal.SIGKILL))
    assert process.wait() == -signal.SIGKILL
    ran = run_on(ran)
    check_agrees(ran)
    check_received(ran, list(way.received()))


@pytest.mark.parametrize("kind", ["direct", "stream"])
def test_a_stream_that_is_deleted_before_anything_is_on_it(
    kind: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The run ends with 4, each time, and confirms nothing of it; once the stream is there again,
    the same command publishes what is left."""
    with through(kind, server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=20)
        way.proxy.call_after(SOME_BYTES // 3, lambda: way.delete("archive.bulk"))  # the last lane
        assert run_on(ran).code == 4
        assert run_on(ran).code == 4
        way.make_again(ran)
        ran = run_on(ran)
        check_agrees(ran)
        check_received(ran, list(way.received()))


@pytest.mark.parametrize("kind", ["direct", "stream"])
def test_a_stream_that_is_deleted_with_what_it_had_confirmed(
    kind: str, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is never agreed: it cannot be verified as long as it is gone; made anew, what was
    confirmed is missing on it, and nothing else is amiss."""
    with through(kind, server, monkeypatch) as way:
        ran = way.estate(tmp_path, patience_s=20)
        check_agrees(run_on(ran))
        way.delete("custody.express")
        assert run_on(ran).code == 6
        way.make_again(ran)
        ran = run_on(ran)
        assert ran.code == 1
        assert set(ran.summary["findings"]) == {"missing"}
        gone = Counter(_places(ran)) - Counter(map(_place, way.received()))
        assert gone
        assert {(to, lane) for to, lane, _ in gone} == {("custody", "express")}
        assert gone.total() == ran.summary["findings"]["missing"]


def _places(ran: Ran) -> Iterator[tuple[str, str, str]]:
    for entry in ran.manifest:
        for to in entry["deliveries"]:
            yield to["destination"], to["lane"], f"{entry['flow']}/{entry['legacy_id']}"


def _place(one: Received) -> tuple[str, str, str]:
    legacy = f"{one.headers['ce_flow']}/{one.headers['ce_legacyid']}"
    return one.destination, one.lane, legacy
