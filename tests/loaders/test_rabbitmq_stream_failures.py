"""RabbitMQ streams when things break: nothing lost, nothing twice, nothing confirmed falsely."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from loaders.rabbitmq_stream import link
from loaders.rabbitmq_stream.observe import Observer
from loaders.rabbitmq_stream.provision import Provisioner
from loaders.rabbitmq_stream.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import Window
from tests import stream_broker
from tests.stream_broker import Server
from tests.tcp_proxy import proxy
from tests.windows import Sent, publish, window

pytestmark = pytest.mark.service

OFFRAMPS = {name: OffRampSpec(name) for name in ("custody", "nfd")}
SIZE = 200


@pytest.fixture
def server() -> Server:
    return stream_broker.shared()


@pytest.fixture
def vhost(server: Server) -> Iterator[str]:
    """Streams of two off-ramps, empty."""
    with server.vhost() as name:
        provision(server.spec(name))
        yield name


def provision(spec: BusSpec) -> None:
    Provisioner(spec, OFFRAMPS).provision()


def windows(count: int, *, run: str = "run-1", size: int = SIZE) -> list[Window]:
    """Every third delivery goes to another off-ramp."""
    return [
        window([sent(number) for number in range(first * size, (first + 1) * size)], run=run)
        for first in range(count)
    ]


def sent(number: int) -> Sent:
    destination = "custody" if number % 3 else "nfd"
    return Sent(destination, f"{number:032x}", {"ce_id": f"{number:032x}"}, b"x" * 300)


def numbers(seen: Sequence[dict[str, object]]) -> list[int]:
    return [int(str(row["message_id"]), 16) for row in seen]


def observed(spec: BusSpec) -> list[dict[str, object]]:
    rows = [row for batch in Observer(spec, OFFRAMPS).observe({}) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: (row["destination"], row["arrival"]))


def assert_exactly(spec: BusSpec, count: int) -> None:
    """Every delivery of the first `count` windows once, in order within its off-ramp."""
    expected = range(count * SIZE)
    wanted = [n for n in expected if n % 3] + [n for n in expected if not n % 3]
    assert numbers(observed(spec)) == wanted


def all_confirmed(answers: Sequence[Receipts]) -> bool:
    return all(all(each.confirmed) for each in answers)


@pytest.mark.parametrize("after", [700, 30_000, 150_000, 300_001])
def test_a_connection_that_is_cut_is_mended(server: Server, vhost: str, after: int) -> None:
    """At whatever byte: what had no answer is sent again, and lands once."""
    with proxy(server.port, after=after) as between:
        publisher = Publisher(server.spec(vhost, between.port), OFFRAMPS)
        with closing(publisher):
            outgoing = windows(4)
            for each in outgoing:
                publisher.mark(each)
                publisher.send(each)
            answers = [publisher.receipts() for _ in outgoing]
        assert between.reached.is_set()
    assert all_confirmed(answers)
    assert_exactly(server.spec(vhost), 4)


def test_what_a_dead_process_left_on_its_way_cannot_arrive_beside_its_successors(
    server: Server, vhost: str
) -> None:
    """Its frames reach the stream after the next process has asked, published and been confirmed:
    they bear ids that the stream has by then."""
    outgoing = window([Sent("custody", f"{n:032x}", {}, b"x" * 300) for n in range(SIZE)])
    others = window([Sent("custody", f"{n:032x}", {}, b"y") for n in range(SIZE, 2 * SIZE)])
    with proxy(server.port, after=30_000, hold=True) as between:
        dying = Publisher(server.spec(vhost, between.port), OFFRAMPS)
        mark = dying.mark(outgoing)
        dying.send(outgoing)
        assert between.reached.wait(30)
        with closing(Publisher(server.spec(vhost), OFFRAMPS)) as publisher:
            found = publisher.resolve(outgoing, mark, {})
            assert found is not None
            left = [place for place, here in enumerate(found.confirmed) if not here]
            assert left
            again = publish(publisher, outgoing.take(left))
            fresh = publish(publisher, others)
        dying._link._connection._socket.close()  # as the kernel does for a process that is killed
        between.release()
    assert all_confirmed([again, fresh])
    assert numbers(observed(server.spec(vhost))) == list(range(2 * SIZE))


def test_two_processes_of_one_run_id_do_not_shadow_each_other(server: Server, vhost: str) -> None:
    """A stream drops a publishing id that it has, and confirms it: so no two ever share a name."""
    first, second = windows(2)
    with (
        closing(Publisher(server.spec(vhost), OFFRAMPS)) as one,
        closing(Publisher(server.spec(vhost), OFFRAMPS)) as other,
    ):
        assert all_confirmed([publish(one, first), publish(other, second)])
    assert_exactly(server.spec(vhost), 2)


def test_a_doubt_behind_which_something_else_is_published_stays_apart(
    server: Server, vhost: str
) -> None:
    """Ids in doubt belong to their messages: others get a producer of their own."""
    first, second = windows(2)
    with closing(Publisher(server.spec(vhost), OFFRAMPS)) as dying:
        mark = dying.mark(first)
    with closing(Publisher(server.spec(vhost), OFFRAMPS)) as publisher:
        found = publisher.resolve(first, mark, {})
        assert found is not None
        assert not any(found.confirmed)
        assert all_confirmed([publish(publisher, second), publish(publisher, first)])
    assert len(observed(server.spec(vhost))) == 2 * SIZE


def test_a_bus_that_lost_what_it_confirmed_is_refused(server: Server, vhost: str) -> None:
    """A stream that was deleted and made again is not the one that confirmed."""
    spec = server.spec(vhost)
    with proxy(server.port) as between, closing(publisher_at(spec, between.port)) as publisher:
        first, second = windows(2)
        publish(publisher, first)
        server.ask("DELETE", f"/api/queues/{vhost}/metip.custody.bulk")
        provision(spec)
        with pytest.raises(BusRefused, match="without messages that it had confirmed"):
            publish(publisher, second)


def publisher_at(spec: BusSpec, port: int) -> Publisher:
    host, _, vhost = spec.url.rpartition("/")
    return Publisher(
        BusSpec(spec.name, spec.kind, f"{host.rpartition(':')[0]}:{port}/{vhost}", spec.options),
        OFFRAMPS,
    )


def test_a_stream_that_is_deleted_stops_the_run(server: Server, vhost: str) -> None:
    """What was under way is in doubt; made again, the stream takes the rest."""
    spec = server.spec(vhost)
    first, second = windows(2)
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        publish(publisher, first)
        server.ask("DELETE", f"/api/queues/{vhost}/metip.custody.bulk")
        mark = publisher.mark(second)
        with pytest.raises(BusRefused, match=r"metip\.custody\.bulk.*does not exist"):
            publish(publisher, second)
    provision(spec)
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        found = publisher.resolve(second, mark, {})
        assert found is not None
        left = [place for place, here in enumerate(found.confirmed) if not here]
        assert all_confirmed([publish(publisher, second.take(left))])
    own = [n for n in numbers(observed(spec)) if n >= SIZE]
    assert sorted(own) == list(range(SIZE, 2 * SIZE))


def test_the_witness_says_that_a_stream_is_gone(server: Server, vhost: str) -> None:
    """Gone, or shorter than when the run began, is not empty."""
    spec = server.spec(vhost)
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        publish(publisher, windows(1)[0])
    since = Observer(spec, OFFRAMPS).positions()
    server.ask("DELETE", f"/api/queues/{vhost}/metip.custody.bulk")
    with pytest.raises(CouldNotVerify, match="is gone"):
        list(Observer(spec, OFFRAMPS).observe(since))
    provision(spec)
    with pytest.raises(CouldNotVerify, match="ends before"):
        list(Observer(spec, OFFRAMPS).observe(since))


def test_what_retention_dropped_is_told(server: Server, vhost: str) -> None:
    """A stream that no longer begins where the run did was not seen whole."""
    spec = server.spec(vhost)
    since = Observer(spec, OFFRAMPS).positions()
    assert Observer(spec, OFFRAMPS).sights(since) == {}
    stream = f"/api/queues/{vhost}/metip.custody.bulk"
    limits = {"x-max-length-bytes": 200_000, "x-stream-max-segment-size-bytes": 100_000}
    server.ask("DELETE", stream)
    arguments = {"x-queue-type": "stream", **limits}
    server.ask("PUT", stream, {"durable": True, "arguments": arguments})
    with closing(Publisher(spec, OFFRAMPS)) as publisher:
        for each in windows(12):
            publish(publisher, each)
    doubt = Observer(spec, OFFRAMPS).sights(since)["custody"].doubt
    assert doubt is not None
    assert "no longer there" in doubt


def test_a_message_that_fits_into_no_frame_is_refused_before_anything_is_sent(
    server: Server, vhost: str
) -> None:
    """Nothing of its window is in doubt then."""
    large = window([sent(0), Sent("custody", "1" * 32, {}, bytes(stream_broker.FRAME_MAX))])
    with closing(Publisher(server.spec(vhost), OFFRAMPS)) as publisher:
        with pytest.raises(BusRefused, match="takes frames of 16,777,216 bytes") as refused:
            publisher.mark(large)
        assert "stream.frame_max" in str(refused.value.hint)
        assert all_confirmed([publish(publisher, windows(1)[0])])
    assert_exactly(server.spec(vhost), 1)


def test_more_streams_than_a_connection_has_producers(
    server: Server, vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are idle make room."""
    monkeypatch.setattr(link, "_PUBLISHERS", 1)
    with closing(Publisher(server.spec(vhost), OFFRAMPS)) as publisher:
        for number in range(4):
            name = "custody" if number % 2 else "nfd"
            assert all_confirmed([publish(publisher, window([Sent(name, str(number))]))])
    assert len(observed(server.spec(vhost))) == 4
