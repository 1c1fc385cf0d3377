"""A real run onto RabbitMQ: what consumers written with pika take from its off-ramps."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loaders.rabbitmq.observe import Observer
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from tests import rabbitmq
from tests.rabbitmq import Host
from tests.spine.buses import Received, check_agrees, check_received, estate_on, run_on

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]

PREFIX = "cloudEvents_"
OFFRAMPS = ("archive", "custody", "gazetteer", "metsearch", "mobile", "nfd")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with rabbitmq.host() as found:
        monkeypatch.setenv("METIP_URL", found.url)
        yield found


def test_quorum_queues_with_taps(host: Host, tmp_path: Path) -> None:
    """The witness reads the taps; consumers take from the queues. A second call of the same run
    delivers nothing twice."""
    ran = run_on(estate_on(tmp_path, bus(host), 'observe = "tap"'))
    check_agrees(ran)
    assert run_on(ran).code == 0
    check_received(ran, list(received(host, taken)))


def test_streams_read_themselves(host: Host, tmp_path: Path) -> None:
    """Nothing is taken: the witness has read them before the consumer does."""
    ran = run_on(estate_on(tmp_path, bus(host, 'queue = "stream"')))
    check_agrees(ran)
    check_received(ran, list(received(host, streamed)))


def test_queues_that_are_only_counted(host: Host, tmp_path: Path) -> None:
    """What is counted is what was promised, and a consumer gets it."""
    ran = run_on(estate_on(tmp_path, bus(host), 'observe = "counts"'))
    promised = Counter(to["destination"] for entry in ran.manifest for to in entry["deliveries"])
    ramps = {name: OffRampSpec(name, observe="counts") for name in OFFRAMPS}
    observer = Observer(BusSpec("metip", "rabbitmq", host.url), ramps)
    baseline = json.loads((ran.run / "baseline.json").read_text())
    sights = observer.sights(baseline["positions"])
    assert list(observer.observe(baseline["positions"])) == []
    observer.close()
    assert {(sight.how, sight.doubt) for sight in sights.values()} == {("counts", None)}
    assert {name: sight.count for name, sight in sights.items() if sight.count} == promised
    check_received(ran, list(received(host, taken)))


def bus(host: Host, more: str = "") -> str:
    options = f'management = "{host.management}"' + (f", {more}" if more else "")
    return f'[bus.metip]\nkind = "rabbitmq"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}'


def received(host: Host, consumed: Any) -> Iterator[Received]:
    """Everything in every queue of an off-ramp and lane, by their names under other ones."""
    with host.channel() as channel:
        for name in OFFRAMPS:
            for lane in LANES:
                for properties, body in consumed(channel, f"{name}.{lane}"):
                    headers = {
                        header.replace(PREFIX, "ce_"): value
                        for header, value in properties.headers.items()
                        if header != "x-stream-offset"
                    }
                    assert properties.delivery_mode == 2
                    assert properties.message_id == headers["ce_id"]
                    headers["content-type"] = properties.content_type
                    yield Received(name, lane, headers, body)


def taken(channel: Any, queue: str) -> Iterator[tuple[Any, bytes]]:
    """Taken from a queue until it is empty."""
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return
        yield properties, body


def streamed(channel: Any, queue: str) -> Iterator[tuple[Any, bytes]]:
    """Read from a stream until it is silent."""
    channel.basic_qos(prefetch_count=50)
    first = {"x-stream-offset": "first"}
    messages = channel.consume(queue, arguments=first, inactivity_timeout=0.4)
    for method, properties, body in messages:
        if method is None:
            break
        channel.basic_ack(method.delivery_tag)
        yield properties, body
    channel.cancel()
