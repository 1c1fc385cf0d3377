"""A RabbitMQ that is killed, cut off or robbed of a stream under a run, and a run that is killed
itself: the run goes on, or ends with 4 and the same command goes on."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from tests.crash.rabbitmq_ways import KINDS, SOME_BYTES, Way, kept, through
from tests.spine.buses import Ran, Received, check_agrees, check_received, run_on
from tests.stream_broker import Server

pytestmark = [pytest.mark.service, pytest.mark.crash, pytest.mark.xdist_group("rabbitmq")]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept() as found:
        yield found


@pytest.fixture(params=KINDS)
def way(
    request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Way]:
    with through(request.param, server, monkeypatch) as found:
        yield found


def test_a_node_that_is_killed_and_started_again(way: Way, tmp_path: Path) -> None:
    """The run ends with 4 as long as the node is away; then the same command asks the streams and
    publishes what they lack."""
    ran = way.estate(tmp_path, patience_s=5)
    way.make(ran)
    way.server.node.settle()
    way.proxy.cut_after(SOME_BYTES, way.server.node.kill)
    assert run_on(ran).code == 4
    assert run_on(ran).code == 4
    if way.kind == "tap":
        way.server.node.revive()
    else:
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
        way.make(ran)
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
        way.make(ran)
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
