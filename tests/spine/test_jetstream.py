"""A real run onto NATS JetStream: what a consumer written with the vendor's client receives, and
what becomes of a run when the server, the network or we ourselves die in the middle of it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import nats
import pytest

from loaders.jetstream.provision import Provisioner
from migrate.core.flow import BusSpec
from migrate.plan.load import load_plan
from tests.loaders import nats_server
from tests.loaders.nats_proxy import Proxy, proxy
from tests.loaders.nats_server import Server, server, write
from tests.spine.buses import Ran, Received, check_agrees, check_received, estate_on, run_on

pytestmark = pytest.mark.service

Make = Callable[[str, dict[str, str], bytes], Received]
"""Makes what was received of a message's subject, headers and body."""

BUS = """[bus.metip]
kind = "jetstream"
url = "${ISB_TEST_NATS_URL}"
options = { prefix = "${ISB_TEST_NATS_PREFIX}", duplicates_s = 0.1 }"""


@pytest.fixture(scope="module", params=["exclusive", "shared", "structured"])
def ready(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A run that is extracted and transformed; where its bus is comes from outside."""
    shared = request.param == "shared"
    folder = tmp_path_factory.mktemp(request.param)
    mode = 'mode = "structured"' if request.param == "structured" else None
    ran = estate_on(folder, BUS, mode, messages=200)
    if shared:
        plan = ran.estate / "plan.toml"
        text = plan.read_text("utf-8").replace("exclusive = true", "exclusive = false")
        plan.write_text(f"{text}\n[offramp.archive]\nexclusive = false\n", "utf-8")
    os.environ |= {"ISB_TEST_NATS_URL": "nats://nowhere", "ISB_TEST_NATS_PREFIX": "t"}
    run_on(ran, "--stage", "transform")
    return ran


exclusive = pytest.mark.parametrize("ready", ["exclusive"], indirect=True)
shared = pytest.mark.parametrize("ready", ["shared"], indirect=True)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path / "nats", "max_payload: 8MB") as found:
        yield found


@pytest.fixture
def between(own: Server) -> Iterator[Proxy]:
    with proxy(own.port) as found:
        yield found


@pytest.fixture
def ran(ready: Ran, between: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """A copy of that run, whose bus is reached through a proxy."""
    monkeypatch.setenv("ISB_TEST_NATS_URL", between.url)
    monkeypatch.setenv("ISB_TEST_NATS_PREFIX", "t")
    shutil.copytree(ready.run.parent, tmp_path / "runs")
    return replace(ready, run=tmp_path / "runs" / ready.run.name)


def bus(url: str) -> BusSpec:
    return BusSpec("metip", "jetstream", url, (("prefix", "t"), ("duplicates_s", "0.1")))


def received(found: Server, prefix: str = "t") -> list[Received]:
    """Ours, as a consumer gets them."""
    everything = asyncio.run(consume(found.url, prefix))
    return [one for one in everything if "ce_flow" in one.headers]


def test_the_sample_estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call of the same run delivers nothing twice."""
    with nats_server.bus() as spec:
        prefix = dict(spec.options)["prefix"]
        monkeypatch.setenv("ISB_TEST_NATS_URL", spec.url)
        monkeypatch.setenv("ISB_TEST_NATS_PREFIX", prefix)
        ran = run_on(estate_on(tmp_path, BUS, messages=300))
        check_agrees(ran)
        assert run_on(ran).code == 0
        check_received(ran, received(nats_server.shared(), prefix))


def test_an_off_ramp_waits_for_its_durable_consumers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is there: exit 4, and nothing is loaded. One is behind: its off-ramp alone waits. It has
    caught up: the same command ends the run, and what it has taken is still there to be seen."""
    with nats_server.bus() as spec:
        prefix = dict(spec.options)["prefix"]
        monkeypatch.setenv("ISB_TEST_NATS_URL", spec.url)
        monkeypatch.setenv("ISB_TEST_NATS_PREFIX", prefix)
        ran = estate_on(tmp_path, BUS, messages=200)
        plan = ran.estate / "plan.toml"
        waits = 'backlog = { pause_above = 3, resume_below = 2, consumers = ["live"] }'
        text = plan.read_text("utf-8").replace("[offramp.nfd]\n", f"[offramp.nfd]\n{waits}\n")
        plan.write_text(text, "utf-8")
        assert run_on(ran).code == 4
        assert received(nats_server.shared(), prefix) == []
        stranger = replace(spec, options=(("prefix", prefix),))
        for _ in range(4):
            write(stranger, "nfd.bulk", {"ce-type": "other"})
        asyncio.run(take(spec.url, f"{prefix}.nfd.*", 0))
        assert run_on(ran, "--no-wait").code == 130
        loaded = Counter(one.destination for one in received(nats_server.shared(), prefix))
        assert loaded["nfd"] == 0 < loaded["custody"]
        asyncio.run(take(spec.url, f"{prefix}.nfd.*", 4))
        done = run_on(ran, "--no-wait")
        while done.code == 130:
            asyncio.run(take(spec.url, f"{prefix}.nfd.*", 1))
            done = run_on(ran, "--no-wait")
        assert (done.code, done.summary["findings"]) == (1, {"unexpected": 4})
        check_received(done, received(nats_server.shared(), prefix))


@pytest.mark.crash
def test_a_process_killed_within_windows_again_and_again(
    ran: Ran, own: Server, between: Proxy
) -> None:
    """The real command, whenever so many bytes of it have reached the server."""
    killed = 0
    for after in (20_000, 40_000, 30_000):
        killed += call(ran, between, after) == -9
    assert killed == 3
    done = run_on(ran)
    check_agrees(done)
    check_received(done, received(own))


@exclusive
@pytest.mark.parametrize("after", [5_000, 90_000])
def test_a_server_killed_while_loading(ran: Ran, own: Server, between: Proxy, after: int) -> None:
    """Exit 4; started again, the same command goes on."""
    between.arm(after, own.kill)
    assert run_on(ran).code == 4
    between.cut()
    own.start()
    done = run_on(ran)
    check_agrees(done)
    check_received(done, received(own))


@pytest.mark.parametrize("after", [60_000])
def test_a_connection_cut_while_loading(ran: Ran, own: Server, between: Proxy, after: int) -> None:
    """Exit 4, and the same command goes on; on a shared off-ramp as on an exclusive one."""
    between.arm(after, between.cut)
    assert run_on(ran).code == 4
    done = run_on(ran)
    check_agrees(done)
    check_received(done, received(own))


@shared
def test_others_write_on_shared_off_ramps_while_we_load(
    ran: Ran, own: Server, between: Proxy
) -> None:
    """Counted as foreign; no verdict is disturbed."""
    between.arm(60_000, strangers(own, 30))
    done = run_on(ran)
    check_agrees(done)
    check_received(done, received(own))
    assert len(asyncio.run(consume(own.url, "t"))) == len(received(own)) + 30


@exclusive
def test_a_stranger_on_an_exclusive_off_ramp_stops_the_load_and_is_found(
    ran: Ran, own: Server, between: Proxy
) -> None:
    """What was to follow is not confirmed; the same command brings it, once."""
    between.arm(60_000, strangers(own, 3))
    assert run_on(ran).code == 4
    done = run_on(ran)
    assert (done.code, done.summary["findings"]) == (1, {"unexpected": 3})
    check_received(done, received(own))


@exclusive
def test_a_stream_deleted_while_loading(ran: Ran, own: Server, between: Proxy) -> None:
    """The load stops until there is a stream again; what was deleted with it is missing, and
    nothing that was not taken is confirmed."""

    def delete() -> None:
        with nats_server.api(bus(own.url)) as api:
            api.ask("STREAM.DELETE.t-custody")

    between.arm(100_000, delete)
    assert run_on(ran).code == 4
    assert run_on(ran).code == 4
    with closing(Provisioner(bus(own.url), load_plan(ran.estate / "plan.toml").offramps)) as made:
        made.provision()
    done = run_on(ran)
    assert (done.code, list(done.summary["findings"])) == (1, ["missing"])
    deliveries = done.summary["deliveries"]
    lost = done.summary["findings"]["missing"]
    assert lost > 0
    assert deliveries["observed"] == deliveries["expected"] - lost == len(received(own))


def strangers(found: Server, count: int) -> Callable[[], None]:
    """Somebody else's messages, on the subjects where ours go."""

    def write_them() -> None:
        for _ in range(count):
            write(bus(found.url), "custody.standard", {"Nats-Msg-Id": os.urandom(8).hex()})

    return write_them


def call(ran: Ran, between: Proxy, after: int) -> int:
    """The real command in a process of its own, killed behind so many bytes; its exit code."""
    words = ["run", str(ran.estate / "plan.toml"), "--runs", str(ran.run.parent)]
    with ended(
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "migrate",
                *words,
                "--run-id",
                ran.run.name,
                "--progress",
                "none",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    ) as process:
        between.arm(after, process.kill)
        return process.wait()


@contextmanager
def ended(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def take(url: str, subject: str, count: int) -> None:
    """Receive as the durable consumer `live`, and acknowledge."""
    client = await nats.connect(url)
    try:
        pulling = await client.jetstream().pull_subscribe(subject, durable="live")
        for message in await pulling.fetch(count, timeout=20) if count else ():
            await message.ack_sync()
    finally:
        await client.close()


async def consume(url: str, prefix: str, made: Make | None = None) -> list[Received]:
    """Every message of every stream below the prefix, by nats-py's ordered consumers."""
    made = made or as_received
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        found: list[Received] = []
        for stream in await jetstream.streams_info():
            if not (stream.config.name or "").startswith(f"{prefix}-"):
                continue
            (subject,) = stream.config.subjects or [""]
            lying = await jetstream.subscribe(subject, ordered_consumer=True)
            for _ in range(stream.state.messages):
                message = await lying.next_msg(timeout=10)
                found.append(made(message.subject, message.headers or {}, message.data))
            await lying.unsubscribe()
        return found
    finally:
        await client.close()


def as_received(subject: str, headers: dict[str, str], body: bytes) -> Received:
    """By the CloudEvents NATS binding, as any consumer would read it."""
    *_, destination, lane = subject.split(".")
    if headers.get("Content-Type") == "application/cloudevents+json":
        event = json.loads(body)
        return Received(destination, lane, {f"ce_{name}": event[name] for name in event}, body)
    envelope = {
        f"ce_{name.removeprefix('ce-')}": unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    return Received(destination, lane, envelope, body)
