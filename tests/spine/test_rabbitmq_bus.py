"""A real run onto RabbitMQ: what consumers written with pika take from its off-ramps."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.rabbitmq.observe import Observer
from migrate.core.flow import BusSpec, OffRampSpec
from tests import rabbitmq
from tests.rabbitmq import Host
from tests.spine.buses import check_agrees, check_received, estate_on, run_on
from tests.spine.rabbitmq_consumers import OFFRAMPS, received, streamed, taken

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]


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
