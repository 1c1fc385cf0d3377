"""kill -9 of a run that loads onto RabbitMQ: the same command goes on, nothing lost, nothing twice,
whether its streams are spoken to by AMQP, by their own protocol, or stand beside queues as taps."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import stream_broker
from tests.crash.calls import KILLED, call
from tests.rabbitmq import Host
from tests.run.estate import Arrival, Estate, write_estate
from tests.spine.buses import Received
from tests.spine.estate import isb_migrate
from tests.spine.rabbitmq_consumers import received, received_of_streams, streamed, taken

pytestmark = [pytest.mark.crash, pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]

REAL = ("inline", "run")
OFFRAMPS = ("archive", "custody", "mobile", "log")
FUSES = [
    ["KILL:intent:1"],
    ["KILL:published:5", "KILL:intent:2", "KILL:receipt:3"],
    ["TERM:receipt:4", "KILL:published:1"],
]


@dataclass(frozen=True)
class Bus:
    """A bus in a plan: its table, what its off-ramps say, and what consumers get from it."""

    table: str
    offramps: str
    received: Callable[[], Iterator[Received]]


@pytest.fixture(params=["direct", "tap", "stream"])
def bus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bus]:
    """`rabbitmq` with streams, `rabbitmq` with taps, `rabbitmq-stream`."""
    server = stream_broker.shared()
    with server.node.host() as host:
        url = server.url(host.name) if request.param == "stream" else host.url
        monkeypatch.setenv("METIP_URL", url)
        yield bus_of(request.param, server, host)


def bus_of(kind: str, server: stream_broker.Server, host: Host) -> Bus:
    if kind == "stream":
        table = 'kind = "rabbitmq-stream"\nurl = "${METIP_URL}"\n'
        return Bus(table, "", lambda: received_of_streams(server, host.name, OFFRAMPS))
    options = f'management = "{host.management}"'
    options += ', queue = "stream"' if kind == "direct" else ""
    table = f'kind = "rabbitmq"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}\n'
    consumed = streamed if kind == "direct" else taken
    more = 'observe = "tap"\n' if kind == "tap" else ""
    return Bus(table, more, lambda: received(host, consumed, OFFRAMPS))


@pytest.mark.parametrize("fuses", FUSES, ids=" ".join)
def test_a_run_that_is_killed_while_it_loads(bus: Bus, tmp_path: Path, fuses: list[str]) -> None:
    """Between intent, confirm and receipt; off-ramps that must not get anything twice."""
    estate = on(write_estate(tmp_path, messages=60, batch_rows=12), bus)
    for fuse in fuses:
        assert call(tmp_path, estate.plan, fuse, *REAL) in (KILLED, 130)
    runs = ("--runs", tmp_path / "runs", "--run-id", "crashing", "--progress", "none")
    code, _ = isb_migrate("run", estate.plan, *runs)
    assert code == 0
    assert arrived(bus) == Counter(estate.expected)


def on(estate: Estate, bus: Bus) -> Estate:
    """The estate's plan, with another bus."""
    text = estate.plan.read_text("utf-8")
    head, _, rest = text.partition("[bus.metip]\n")
    rest = rest[rest.index("[offramp.") :]
    for name in OFFRAMPS[1:]:
        rest = rest.replace(f"[offramp.{name}]\n", f"[offramp.{name}]\n{bus.offramps}")
    rest += f"\n[offramp.archive]\n{bus.offramps}"
    estate.plan.write_text(f"{head}[bus.metip]\n{bus.table}{rest}", "utf-8")
    return estate


def arrived(bus: Bus) -> Counter[Arrival]:
    """What consumers find."""
    return Counter(
        (one.destination, one.lane, one.headers["ce_legacyid"]) for one in bus.received()
    )
