"""Loading onto RabbitMQ, whole, against a bare publisher and against Shovel, on one broker.

Ours is `isb-migrate run`, with its ledger, intents and receipts: the rate of its stage `load`. The
bare publisher sends the same frames, encoded beforehand, with as many windows under way, and only
counts confirms. Shovel moves the same messages from a classic queue. All are confirmed, persistent
and go to a topic exchange with one quorum queue, or that queue and its tap.

BENCH_MESSAGES (20000), BENCH_BODY (1024 bytes), BENCH_ROUNDS (3).
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pika

from bench.spine import PLAN, write_legacy
from loaders.rabbitmq import wire
from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.confirms import Confirms
from loaders.rabbitmq.encode import Encoder
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.observe import Observer
from loaders.rabbitmq.provision import Provisioner
from loaders.rabbitmq.publish import Publisher
from loaders.rabbitmq.topology import ramps
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.window import Window
from tests.rabbitmq import Host, Node
from tests.windows import Sent, window

MESSAGES = int(os.environ.get("BENCH_MESSAGES", 20_000))
BODY = int(os.environ.get("BENCH_BODY", 1_024))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 3))
WINDOW = 1_000
QUEUE = "events.standard"


def main() -> None:
    """Medians of some rounds, and the ratios that are aimed at."""
    node = Node(("rabbitmq_management", "rabbitmq_shovel"))
    try:
        for how in ("counts", "tap"):
            compare(node, how)
    finally:
        node.end()


def compare(node: Node, how: str) -> None:
    """All rivals in turn, each on a virtual host of its own, for some rounds."""
    rates: dict[str, list[float]] = {"ours": [], "bare": [], "shovel": [], "read back": []}
    for _ in range(ROUNDS):
        for name, rival in (("bare", bare), ("ours", ours), ("shovel", shovel)):
            with node.host() as host:
                rates[name].append(rival(host, how))
                if name == "bare" and how == "tap":
                    rates["read back"].append(read_back(host))
    print(f"quorum queue, {how}, {MESSAGES:,} messages of {BODY:,} bytes, median of {ROUNDS}:")
    medians = {name: statistics.median(found) for name, found in rates.items() if found}
    for name, rate in medians.items():
        print(f"  {name:<10} {rate:10,.0f} messages/s")
    print(f"  ours / bare {medians['ours'] / medians['bare']:.2f} (aim 0.8)")
    print(f"  ours / shovel {medians['ours'] / medians['shovel']:.2f} (aim 1.5)")


def ours(host: Host, how: str) -> float:
    """The whole command."""
    with tempfile.TemporaryDirectory(prefix="bench-rabbitmq-") as folder:
        estate = Path(folder) / "estate"
        shutil.copytree(PLAN, estate)
        write_legacy(estate / "legacy.db", MESSAGES, BODY)
        plan = (estate / "plan.toml").read_text(encoding="utf-8")
        head, _, _ = plan.partition("[bus.metip]")
        (estate / "plan.toml").write_text(
            f'{head}[bus.metip]\nkind = "rabbitmq"\nurl = "${{METIP_URL}}"\n'
            f'options = {{ management = "{host.management}" }}\n\n'
            f'[offramp.events]\nobserve = "{how}"\n',
            encoding="utf-8",
        )
        words = ["--runs", f"{folder}/runs", "--run-id", "bench", "--json", "--progress", "none"]
        command = [sys.executable, "-m", "migrate", "run", str(estate / "plan.toml"), *words]
        environ = {**os.environ, "METIP_URL": host.url}
        out = subprocess.run(command, env=environ, capture_output=True, check=False).stdout
        return float(json.loads(out)["timings"]["load"]["messages_per_s"])


def bare(host: Host, how: str) -> float:
    """Frames that are encoded already, confirms that are only counted."""
    spec, offramps = bus(host, how)
    address = address_of(spec)
    Provisioner(spec, offramps).provision()
    confirms = Confirms()
    link = Link(address, "bare")
    channel = link.open_channel(confirms.handle)
    link.ask(channel, wire.CONFIRM, wire.CONFIRM_OK, wire.octet(0))
    encoder = Encoder(
        ramps(spec, address, offramps), address.exchange, channel, link.frame_max, 1 << 28
    )
    now = datetime.now(UTC)
    encoded = [encoder.encode(each, now).data for each in windows()]
    started = time.perf_counter()
    for data in encoded:
        while len(confirms.windows) >= Publisher.in_flight:
            land(link, channel, confirms)
        confirms.add([("", "")] * WINDOW, range(WINDOW), WINDOW, {})
        link.write(data)
    while confirms.windows:
        land(link, channel, confirms)
    rate = MESSAGES / (time.perf_counter() - started)
    link.close()
    return rate


def land(link: Link, channel: int, confirms: Confirms) -> None:
    if not link.wait(channel, confirms.landed, 60):
        raise RuntimeError("no confirms")
    confirms.windows.popleft()


def shovel(host: Host, how: str) -> float:
    """A dynamic shovel with confirms, from a full queue to the exchange."""
    spec, offramps = bus(host, how)
    Provisioner(spec, offramps).provision()
    host.make("source")
    with host.channel() as channel:
        for number in range(MESSAGES):
            properties = pika.BasicProperties(
                delivery_mode=2,
                content_type="application/json",
                message_id=f"{number:032x}",
                headers={f"cloudEvents_{n}": v for n, v in attributes(number).items()},
            )
            channel.basic_publish("", "source", b"x" * BODY, properties)
    definition = {
        "src-protocol": "amqp091",
        "src-uri": host.url,
        "src-queue": "source",
        "src-prefetch-count": 1000,
        "dest-protocol": "amqp091",
        "dest-uri": host.url,
        "dest-exchange": "metip",
        "dest-exchange-key": QUEUE,
        "ack-mode": "on-confirm",
    }
    with host.channel() as channel:
        started = time.perf_counter()
        host.ask("PUT", f"/api/parameters/shovel/{host.name}/bench", {"value": definition})
        while depth(channel, QUEUE) < MESSAGES:
            time.sleep(0.01)
        return MESSAGES / (time.perf_counter() - started)


def depth(channel: "pika.adapters.blocking_connection.BlockingChannel", queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def read_back(host: Host) -> float:
    """The witness over the tap that the bare publisher has filled."""
    observer = Observer(*bus(host, "tap"))
    started = time.perf_counter()
    rows = sum(batch.num_rows for batch in observer.observe({}))
    seconds = time.perf_counter() - started
    observer.close()
    assert rows == MESSAGES
    return rows / seconds


def bus(host: Host, how: str) -> tuple[BusSpec, dict[str, OffRampSpec]]:
    spec = BusSpec("metip", "rabbitmq", host.url, (("management", host.management),))
    return spec, {"events": OffRampSpec("events", observe=how)}  # type: ignore[arg-type]


def attributes(number: int) -> dict[str, str]:
    """What an envelope of the bench plan says, by CloudEvents names."""
    return {
        "environment": "bench",
        "flow": "events",
        "id": f"{number:032x}",
        "legacyid": str(number),
        "marking": "OFFICIAL",
        "orderkey": f"U{number % 5000:05d}",
        "sequence": str(number),
        "source": "urn:isb-migrate:bench:events",
        "specversion": "1.0",
        "time": "2018-04-01T00:00:00Z",
        "type": "bench.bench-event.v1",
    }


def windows() -> Iterator[Window]:
    for first in range(0, MESSAGES, WINDOW):
        yield window(
            [
                Sent(
                    "events",
                    f"{number:032x}",
                    {
                        **{f"ce_{name}": value for name, value in attributes(number).items()},
                        "content-type": "application/json",
                    },
                    b"x" * BODY,
                )
                for number in range(first, first + WINDOW)
            ],
            lane="standard",
        )


if __name__ == "__main__":
    main()
