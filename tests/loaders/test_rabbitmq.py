"""RabbitMQ beyond the contract: what it refuses, what is foreign, and what is doubted."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pika
import pyarrow as pa
import pytest

from loaders.claims import open_claims
from loaders.claims.account import take_account
from loaders.rabbitmq.confirms import REFUSED, RETURNED
from loaders.rabbitmq.gauge import Gauge
from loaders.rabbitmq.observe import Observer
from loaders.rabbitmq.provision import Provisioner
from loaders.rabbitmq.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify, NoGauge
from migrate.core.flow import BacklogSpec, BusSpec, ClaimsSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.schema import OBSERVED
from migrate.plan.claims import removable
from tests import rabbitmq
from tests.rabbitmq import Host
from tests.windows import Sent, window
from tests.windows import publish as publish_by

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]

STREAM = {"nfd": OffRampSpec("nfd", options=(("queue", "stream"),))}
TAPPED = {"nfd": OffRampSpec("nfd", observe="tap")}
COUNTED = {"nfd": OffRampSpec("nfd", observe="counts")}
QUEUE = "nfd.bulk"

OffRamps = dict[str, OffRampSpec]


@pytest.fixture
def host() -> Iterator[Host]:
    with rabbitmq.host() as found:
        yield found


def bus(host: Host, **more: str) -> BusSpec:
    options = {"management": host.management, "timeout_s": "20"} | more
    return BusSpec("metip", "rabbitmq", host.url, tuple(options.items()))


def provided(host: Host, offramps: OffRamps) -> BusSpec:
    spec = bus(host)
    Provisioner(spec, offramps).provision()
    return spec


def publish(spec: BusSpec, offramps: OffRamps, *deliveries: Sent) -> Receipts:
    with closing(Publisher(spec, offramps)) as publisher:
        return publish_by(publisher, window(deliveries))


def seen(spec: BusSpec, offramps: OffRamps, since: Any = None) -> list[dict[str, Any]]:
    with closing(Observer(spec, offramps)) as observer:
        batches = list(observer.observe(since or {}))
    rows: list[dict[str, Any]] = pa.Table.from_batches(batches, OBSERVED).to_pylist()
    return rows


def doubt(spec: BusSpec, offramps: OffRamps, since: Any = None) -> str | None:
    with closing(Observer(spec, offramps)) as observer:
        return observer.sights(since or {})["nfd"].doubt


def unbind(host: Host, queue: str) -> None:
    with host.channel() as channel:
        channel.queue_unbind(queue, "metip", QUEUE)


def test_what_no_queue_is_bound_for_is_never_confirmed(host: Host) -> None:
    """Acknowledged it is; it came back before. The rest of the window is not charged for it."""
    offramps = STREAM | {"custody": OffRampSpec("custody", observe="counts")}
    spec = provided(host, offramps)
    unbind(host, QUEUE)
    receipts = publish(
        spec, offramps, Sent("nfd", "a"), Sent("custody", "a"), Sent("nfd", "b", {}, b"")
    )
    assert list(receipts.confirmed) == [False, True, False]
    assert receipts.problems == {0: RETURNED, 2: RETURNED}


def test_a_full_queue_refuses(host: Host) -> None:
    """A limit rejects what is new and never drops what was confirmed."""
    options = (("max_length", "2"),)
    offramps = {"nfd": OffRampSpec("nfd", observe="counts", options=options)}
    spec = provided(host, offramps)
    publish(spec, offramps, *(Sent("nfd", f"{n}") for n in range(5)))
    receipts = publish(spec, offramps, Sent("nfd", "late"))
    assert list(receipts.confirmed) == [False]
    assert receipts.problems == {0: REFUSED}


def test_a_missing_exchange_ends_the_run_with_its_code(host: Host) -> None:
    """The broker closes the channel, and everything under way is in doubt."""
    spec = provided(host, COUNTED)
    with host.channel() as channel:
        channel.exchange_delete("metip")
    with pytest.raises(BusRefused, match="code 404"):
        publish(spec, COUNTED, Sent("nfd", "a", {"ce_subject": "secret"}))


def test_an_account_of_another_password_is_refused_without_showing_it(host: Host) -> None:
    """Exit 4, no secret."""
    spec = BusSpec("metip", "rabbitmq", host.url.replace("guest@", "wrong@"))
    with pytest.raises(BusRefused) as caught:
        Provisioner(spec, COUNTED).provision()
    assert "wrong" not in str(caught.value)
    assert "403" in str(caught.value)


def test_there_is_one_writer(host: Host) -> None:
    """A second one is refused while the first is there, and not afterwards."""
    provided(host, COUNTED)
    impatient = bus(host, timeout_s="1")
    with (
        closing(Publisher(impatient, COUNTED)),
        pytest.raises(BusRefused, match="another writer"),
    ):
        Publisher(impatient, COUNTED)
    Publisher(impatient, COUNTED).close()


def test_foreign_traffic_is_shown_as_it_lies(host: Host) -> None:
    """Whatever others write to a shared off-ramp, by the exchange or past it, stops nothing."""
    spec = provided(host, STREAM)
    with host.channel() as channel:
        headers = {"n": 3, "none": None, "cloudEvents_id": "theirs", "bytes": b"\xff\x00"}
        for exchange in ("metip", ""):
            properties = pika.BasicProperties(headers=headers, correlation_id="c", priority=1)
            channel.basic_publish(exchange, QUEUE, b"\xff", properties)
        channel.basic_publish("", QUEUE, b"")
    publish(spec, STREAM, Sent("nfd", "a" * 32))
    rows = seen(spec, STREAM)
    assert [row["message_id"] for row in rows] == [None, None, None, "a" * 32]
    assert json.loads(rows[0]["headers"]).items() >= {"n": 3, "ce_id": "theirs"}.items()
    assert json.loads(rows[0]["headers"])["amqp:correlation-id"] == "c"
    assert rows[2]["headers"] == "{}"


def test_foreign_traffic_through_the_exchange_leaves_no_doubt_of_a_tap(host: Host) -> None:
    """It comes to the queue and to its tap alike."""
    spec = provided(host, TAPPED)
    with host.channel() as channel:
        channel.confirm_delivery()
        channel.basic_publish("metip", QUEUE, b"theirs")
    publish(spec, TAPPED, Sent("nfd", "a"))
    assert len(seen(spec, TAPPED)) == 2
    assert doubt(spec, TAPPED) is None


def test_a_tap_does_not_confirm_for_its_queue(host: Host) -> None:
    """Where the queue's binding is taken away under way, the tap alone takes the message: the
    window stays in doubt, the bus cannot resolve it, and the witness doubts what it sees, even
    when the binding is there again."""
    spec = provided(host, TAPPED)
    with closing(Observer(spec, TAPPED)) as observer:
        since = observer.positions()
    with closing(Publisher(spec, TAPPED)) as publisher:
        publish_by(publisher, window([Sent("nfd", "a")]))
        unbind(host, QUEUE)
        with pytest.raises(BusRefused, match="not bound"):
            publish_by(publisher, window([Sent("nfd", "b")]))
    assert "not bound" in str(doubt(spec, TAPPED, since))
    Provisioner(spec, TAPPED).provision()
    assert "has grown by 1" in str(doubt(spec, TAPPED, since))
    with closing(Publisher(spec, TAPPED)) as publisher:
        assert publisher.resolve(window([Sent("nfd", "b")]), None, since) is None


@pytest.mark.parametrize("offramps", [TAPPED, COUNTED], ids=["tap", "counts"])
def test_consumers_make_depths_doubtful(host: Host, offramps: OffRamps) -> None:
    """What somebody takes cannot be counted."""
    spec = provided(host, offramps)
    publish(spec, offramps, Sent("nfd", "a"))
    assert doubt(spec, offramps) is None
    with host.channel() as channel:
        channel.basic_consume(QUEUE, lambda *_: None)
        assert "has consumers" in str(doubt(spec, offramps))


def test_what_is_counted_begins_with_the_start_position(host: Host) -> None:
    """Messages of before the run are none of it; nothing of it is observed."""
    spec = provided(host, COUNTED)
    publish(spec, COUNTED, Sent("nfd", "a"))
    with closing(Observer(spec, COUNTED)) as observer:
        since = observer.positions()
    publish(spec, COUNTED, Sent("nfd", "b"), Sent("nfd", "c"))
    with closing(Observer(spec, COUNTED)) as observer:
        assert observer.sights(since)["nfd"].count == 2
        assert list(observer.observe(since)) == []
    with closing(Publisher(spec, COUNTED)) as publisher:
        assert publisher.resolve(window([Sent("nfd", "b")]), None, since) is None


def test_an_expired_message_is_a_dead_letter(host: Host) -> None:
    """It is kept, and its tap has seen it; that the queue has it not is told."""
    spec = provided(host, TAPPED)
    past = {"ce_expirytime": "2020-01-01T00:00:00Z"}
    assert list(publish(spec, TAPPED, Sent("nfd", "a", past)).confirmed) == [True]
    assert len(seen(spec, TAPPED)) == 1
    assert "some expired" in str(doubt(spec, TAPPED))
    with host.channel() as channel:
        method, properties, _ = next(channel.consume("nfd.dead", inactivity_timeout=10))
        assert method is not None and properties.message_id == "a"


def test_a_stream_that_was_removed_cannot_be_verified(host: Host) -> None:
    """Not an empty one: none."""
    spec = provided(host, STREAM)
    with host.channel() as channel:
        channel.queue_delete(QUEUE)
    with pytest.raises(CouldNotVerify, match="code 404"):
        seen(spec, STREAM)


@pytest.mark.parametrize("managed", [True, False])
def test_what_differs_is_refused_and_left(host: Host, managed: bool) -> None:
    """A queue of another type is neither altered nor used."""
    host.make(QUEUE, "classic")
    spec = bus(host) if managed else BusSpec("metip", "rabbitmq", host.url)
    provisioner = Provisioner(spec, COUNTED)
    with pytest.raises(BusRefused, match=f'queue "{QUEUE}".*differs'):
        provisioner.provision()
    (piece,) = [piece for piece in provisioner.present() if piece.name == QUEUE]
    assert piece not in provisioner.wanted()


def test_without_the_management_api_bindings_are_said_to_be_unseen(host: Host) -> None:
    """Exchanges and queues are told by AMQP; nothing is made by looking."""
    spec = BusSpec("metip", "rabbitmq", host.url)
    provisioner = Provisioner(spec, COUNTED)
    assert provisioner.present() == []
    provisioner.provision()
    wanted, present = provisioner.wanted(), provisioner.present()
    unseen = [piece for piece in wanted if piece not in present]
    assert {piece.kind for piece in unseen} == {"binding"}
    assert all("seen" in piece.settings for piece in present if piece.kind == "binding")


def test_an_alternate_exchange_is_refused(host: Host) -> None:
    """It would take what no queue is bound for, and nothing would come back."""
    spec = provided(host, COUNTED)
    given = {"pattern": "^metip$", "apply-to": "exchanges"}
    definition = {"alternate-exchange": "amq.fanout"}
    host.ask("PUT", f"/api/policies/{host.name}/ae", {**given, "definition": definition})
    with pytest.raises(BusRefused, match="alternate exchange"):
        Provisioner(spec, COUNTED).provision()


def test_a_backlog_is_what_waits_in_an_off_ramps_queues(host: Host) -> None:
    """Whoever published it, in whichever lane; what a consumer holds is with its receiver."""
    spec = provided(host, TAPPED)
    publish(spec, TAPPED, Sent("nfd", "a"), Sent("nfd", "b"))
    with host.channel() as channel:
        channel.basic_publish("", "nfd.express", b"a stranger's")
        channel.queue_declare("nfd.express", passive=True)
        with closing(Gauge(spec, TAPPED)) as gauge:
            assert gauge.backlog()["nfd"] == 3
            channel.basic_get("nfd.express")
            assert gauge.backlog()["nfd"] == 2


def test_of_a_stream_nobody_knows_what_its_readers_have_yet_to_read(host: Host) -> None:
    """The plan is refused before the broker is reached; so are names that no queue asks for."""
    spec = BusSpec("metip", "rabbitmq", "amqp://127.0.0.1:1")
    streams = OffRampSpec("nfd", options=(("queue", "stream"),), backlog=BacklogSpec(9, 3))
    with pytest.raises(NoGauge, match='"nfd" cannot be told'):
        Gauge(spec, {"nfd": streams})
    named = OffRampSpec("nfd", observe="counts", backlog=BacklogSpec(9, 3, ("live",)))
    with pytest.raises(NoGauge, match="names consumers"):
        Gauge(spec, {"nfd": named})


def test_a_stream_that_begins_late_is_not_seen_whole_without_a_start(host: Host) -> None:
    """What it held before nobody can tell any more; a run that began later misses nothing."""
    spec = provided(host, STREAM)
    path = f"/api/queues/{host.name}/{QUEUE}"
    limits = {"x-max-length-bytes": 200_000, "x-stream-max-segment-size-bytes": 100_000}
    host.ask("DELETE", path)
    arguments = {"x-queue-type": "stream", **limits}
    host.ask("PUT", path, {"durable": True, "arguments": arguments})
    with host.channel() as channel:
        channel.queue_bind(QUEUE, "metip", QUEUE)
    for first in range(0, 2_400, 200):
        sent = (Sent("nfd", f"{n}", {}, b"x" * 300) for n in range(first, first + 200))
        publish(spec, STREAM, *sent)
    with closing(Observer(spec, STREAM)) as observer:
        assert list(observer.observe({}))
        assert observer.sights({})["nfd"].doubt == f'the stream "{QUEUE}" begins late'
    with closing(Observer(spec, STREAM)) as observer:
        since = observer.positions()
        publish(spec, STREAM, Sent("nfd", "late"))
        assert sum(len(batch) for batch in observer.observe(since)) == 1
        assert observer.sights(since) == {}


def test_offsets_that_rabbitmq_takes_for_itself_are_no_gap(host: Host) -> None:
    """A new segment begins with what the broker keeps of its own. Behind each start one message
    is published, until a segment began there."""
    spec = provided(host, STREAM)
    path = f"/api/queues/{host.name}/{QUEUE}"
    host.ask("DELETE", path)
    arguments = {"x-queue-type": "stream", "x-stream-max-segment-size-bytes": 2_000}
    host.ask("PUT", path, {"durable": True, "arguments": arguments})
    with host.channel() as channel:
        channel.queue_bind(QUEUE, "metip", QUEUE)
    jumped = False
    for number in range(100):
        with closing(Observer(spec, STREAM)) as observer:
            since = observer.positions()
            publish(spec, STREAM, Sent("nfd", f"{number}", {}, b"x" * 300))
            (place,) = (
                row["place"] for batch in observer.observe(since) for row in batch.to_pylist()
            )
        start = json.loads(since["nfd"])["bulk"]["next"]
        jumped = place != f"{QUEUE}@{start}"
        if jumped:
            break
    assert jumped


def test_claims_of_counted_queues_are_not_accounted_for(host: Host, tmp_path: Path) -> None:
    """Nobody can read what refers to them: they are neither verified nor ever taken for spare."""
    claims = ClaimsSpec("folder", str(tmp_path / "claims"), 3, "met.test")
    spec = replace(provided(host, COUNTED), claims=claims)
    with closing(open_claims(spec)) as store, closing(Observer(spec, COUNTED)) as observer:
        store.provision()
        store.put({"ab" * 32: b"large"})
        account = take_account(observer, store, claims.base)
    assert (list(account.uncounted), list(account.claims)) == (["nfd"], ["ab" * 32])
    with pytest.raises(CouldNotVerify, match="nfd is not seen whole"):
        removable(account)
