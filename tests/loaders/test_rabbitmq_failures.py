"""Alarms, kills and cuts, on a RabbitMQ of the tests' own: nothing lost, nothing confirmed that is
not there."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pika
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from loaders.rabbitmq.observe import Observer
from loaders.rabbitmq.provision import Provisioner
from loaders.rabbitmq.publish import Publisher
from migrate.core.errors import BusRefused
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from tests.proxy import Proxy
from tests.rabbitmq import Host, Node, free_ports
from tests.spine.buses import Ran, check_agrees, estate_on, run_on
from tests.spine.estate import isb_migrate
from tests.windows import Sent, window
from tests.windows import publish as publish_by

pytestmark = [pytest.mark.service, pytest.mark.crash, pytest.mark.xdist_group("rabbitmq")]

ROOT = Path(__file__).parents[2]
STREAM = {"nfd": OffRampSpec("nfd", options=(("queue", "stream"),))}
SOME_BYTES = 150_000
"""Of what a run of the sample estate sends: the cut falls among its first windows."""


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A certificate that signs itself, and the port on which the node shows it."""
    folder = tmp_path_factory.mktemp("tls")
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*words.split(), *names], cwd=folder, check=True, capture_output=True)
    (port,) = free_ports(1)
    return folder, port


@pytest.fixture(scope="module")
def node(tls: tuple[Path, int]) -> Iterator[Node]:
    folder, port = tls
    found = Node(
        more=f"listeners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.cacertfile = {folder}/cert.pem\n"
        f"ssl_options.certfile = {folder}/cert.pem\nssl_options.keyfile = {folder}/key.pem\n"
    )
    yield found
    found.end()


def test_tls(host: Host, tls: tuple[Path, int]) -> None:
    """Large bodies both ways; a certificate that nobody vouches for is refused."""
    folder, port = tls
    url = host.url.replace("amqp:", "amqps:").replace(f":{host.port}/", f":{port}/")
    spec = BusSpec("metip", "rabbitmq", url, (("ca_file", f"{folder}/cert.pem"),))
    Provisioner(spec, STREAM).provision()
    body = bytes(range(256)) * 4_000
    sent = [Sent("nfd", f"{number}", {}, body) for number in range(8)]
    with closing(Publisher(spec, STREAM)) as publisher:
        assert all(publish_by(publisher, window(sent)).confirmed)
    with closing(Observer(spec, STREAM)) as observer:
        bodies = [body for batch in observer.observe({}) for body in batch["body"].to_pylist()]
    assert bodies == [body] * 8
    with pytest.raises(BusRefused, match="certificate"):
        Publisher(BusSpec("metip", "rabbitmq", url), STREAM)


@pytest.fixture
def host(node: Node) -> Iterator[Host]:
    with node.host() as found:
        yield found


@pytest.fixture
def proxy(host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """What the run takes for the broker."""
    found = Proxy(host.port)
    monkeypatch.setenv("METIP_URL", host.url.replace(f":{host.port}/", f":{found.port}/"))
    yield found
    found.close()


def estate(folder: Path, host: Host, queue: str, offramps: str | None = None) -> Ran:
    options = f'management = "{host.management}", queue = "{queue}"'
    bus = f'[bus.metip]\nkind = "rabbitmq"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}'
    return estate_on(folder, bus, offramps, messages=300)


def provided(host: Host, **options: str) -> BusSpec:
    spec = BusSpec("metip", "rabbitmq", host.url, tuple(options.items()))
    Provisioner(spec, STREAM).provision()
    return spec


def test_an_alarm_is_waited_for(node: Node, host: Host) -> None:
    """While memory is short nothing is taken; when it is over, the window is confirmed."""
    spec = provided(host)
    node.control("set_vm_memory_high_watermark", "0.0000001")
    with closing(Publisher(spec, STREAM)) as publisher:
        over = Thread(target=node.control, args=("set_vm_memory_high_watermark", "0.4"))
        publisher.send(window([Sent("nfd", "a")]))
        over.start()
        assert list(publisher.receipts().confirmed) == [True]
        over.join()


def test_an_alarm_that_lasts_too_long_ends_the_run(node: Node, host: Host) -> None:
    """The broker's own word for it is told; what was sent is in doubt, and resolved afterwards."""
    spec = provided(host, blocked_s="1")
    node.control("set_vm_memory_high_watermark", "0.0000001")
    try:
        with (
            closing(Publisher(spec, STREAM)) as publisher,
            pytest.raises(BusRefused, match="low on memory"),
        ):
            publish_by(publisher, window([Sent("nfd", "a")]))
    finally:
        node.control("set_vm_memory_high_watermark", "0.4")
    with closing(Publisher(spec, STREAM)) as publisher:
        answers = publisher.resolve(window([Sent("nfd", "a")]), None, {})
        assert answers is not None
        if not answers.confirmed[0]:
            publish_by(publisher, window([Sent("nfd", "a")]))
    with closing(Observer(spec, STREAM)) as observer:
        assert sum(batch.num_rows for batch in observer.observe({})) == 1


def test_a_cut_connection(host: Host, proxy: Proxy, tmp_path: Path) -> None:
    """The run ends with 4; the same command asks the streams and publishes what they lack."""
    ran = estate(tmp_path, host, "stream")
    proxy.cut_after(SOME_BYTES)
    assert run_on(ran).code == 4
    check_agrees(run_on(ran))


def test_a_run_killed_under_way(host: Host, proxy: Proxy, tmp_path: Path) -> None:
    """The real process gets SIGKILL; the same command goes on."""
    ran = estate(tmp_path, host, "stream")
    where = ("--runs", ran.run.parent, "--run-id", ran.run.name, "--progress", "none")
    words = [sys.executable, "-m", "migrate", "run", ran.estate / "plan.toml", *where]
    process = subprocess.Popen([str(word) for word in words], cwd=ROOT, env=dict(os.environ))
    proxy.cut_after(SOME_BYTES, lambda: process.send_signal(signal.SIGKILL))
    assert process.wait() == -signal.SIGKILL
    check_agrees(run_on(ran))


@pytest.mark.parametrize("killed", [False, True], ids=["cut", "broker-killed"])
def test_doubts_on_queues_are_dealt_with_as_each_off_ramp_says(
    node: Node, host: Host, proxy: Proxy, tmp_path: Path, killed: bool
) -> None:
    """A cut connection, or a broker killed and started again: where the receiver drops repeats
    they are sent again; elsewhere they stay in doubt, and nothing is there twice. Nothing else is
    lost, and nothing that was confirmed."""
    ran = estate(tmp_path, host, "quorum", 'observe = "counts"')
    if killed:  # 3.10.8 forgets quorum queues that were declared less than a second before
        assert isb_migrate("topology", "apply", ran.estate / "plan.toml")[0] == 0
        node.settle()
    proxy.cut_after(SOME_BYTES, node.kill if killed else lambda: None)
    assert run_on(ran).code == 4
    if killed:
        node.revive()
    run_on(ran)
    promised = Counter(
        (entry["legacy_id"], to["destination"])
        for entry in ran.manifest
        for to in entry["deliveries"]
    )
    got = Counter(taken(host, {to for _, to in promised}))
    repeating = {"custody", "gazetteer", "mobile"}
    lost, twice = promised - got, got - promised
    assert not {to for _, to in lost} & repeating
    assert {to for _, to in twice} <= repeating
    assert sum(lost.values()) <= ran.summary["open"]["in_doubt"]


def taken(host: Host, offramps: set[str]) -> Iterator[tuple[str, str]]:
    """Legacy id and off-ramp of everything in the queues."""
    for name in offramps:
        for lane in LANES:
            yield from ((legacy_id, name) for legacy_id in ids(host, f"{name}.{lane}"))


@retry(
    retry=retry_if_exception_type(pika.exceptions.AMQPError),
    stop=stop_after_delay(60),
    wait=wait_fixed(0.5),
    reraise=True,
)
def ids(host: Host, queue: str) -> list[str]:
    """Legacy ids of a queue's messages, none of them taken; a node that has come back may need a
    while for its quorum queues."""
    found = []
    with host.channel() as channel:
        while (got := channel.basic_get(queue))[0] is not None:
            found.append(got[1].headers["cloudEvents_legacyid"])
    return found


def test_a_queue_removed_under_way(host: Host, proxy: Proxy, tmp_path: Path) -> None:
    """What comes back is not confirmed, and the run ends with 4, each time; once the queue is
    there again, the same command publishes what is left."""
    ran = estate(tmp_path, host, "quorum", 'observe = "counts"')
    queue = "archive.bulk"

    def remove() -> None:
        with host.channel() as channel:
            channel.queue_delete(queue)

    proxy.cut_after(SOME_BYTES // 3, remove)  # lanes before bulk
    assert run_on(ran).code == 4
    assert run_on(ran).code == 4
    ramps = {"archive": OffRampSpec("archive", observe="counts")}
    Provisioner(BusSpec("metip", "rabbitmq", host.url), ramps).provision()
    run_on(ran)
    promised = Counter(
        entry["legacy_id"]
        for entry in ran.manifest
        for to in entry["deliveries"]
        if to["destination"] == "archive"
    )
    assert Counter(legacy_id for legacy_id, _ in taken(host, {"archive"})) >= promised
