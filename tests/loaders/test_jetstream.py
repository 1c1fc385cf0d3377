"""JetStream as it is on bad days: what is confirmed is there, and what is in doubt is told."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from loaders.jetstream.observe import Observer
from loaders.jetstream.provision import Provisioner
from loaders.jetstream.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import ARCHIVE, BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.schema import OBSERVED
from tests.loaders import nats_server
from tests.loaders.nats_proxy import Proxy, proxy
from tests.loaders.nats_server import Server, server, write
from tests.windows import Sent, publish, window

pytestmark = pytest.mark.service

OFFRAMPS = {name: OffRampSpec(name) for name in ("custody", "nfd", ARCHIVE)}
SHARED = {name: replace(ramp, exclusive=False) for name, ramp in OFFRAMPS.items()}
FORGETFUL = ("duplicates_s", "0.1")


@pytest.fixture
def bus() -> Iterator[BusSpec]:
    """Provisioned on the server of the test session."""
    with nats_server.bus() as spec:
        provision(spec)
        yield spec


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that may be killed."""
    with server(tmp_path / "nats") as found:
        yield found


@pytest.fixture
def between(own: Server) -> Iterator[Proxy]:
    """A proxy before it."""
    with proxy(own.port) as found:
        yield found


def on(url: str, *options: tuple[str, str]) -> BusSpec:
    """A bus that lives as long as its server."""
    return BusSpec("metip", "jetstream", url, (("prefix", "t"), *options))


def provision(spec: BusSpec, offramps: dict[str, OffRampSpec] = OFFRAMPS) -> None:
    with closing(Provisioner(spec, offramps)) as provisioner:
        provisioner.provision()


def sends(count: int, first: int = 0, to: str = "custody", size: int = 1000) -> list[Sent]:
    return [
        Sent(to, f"{n:032x}", {"ce_id": f"{n:032x}"}, f"{n} ".encode() * (size // 4), f"k{n % 7}")
        for n in range(first, first + count)
    ]


def seen(spec: BusSpec, since: dict[str, str] | None = None) -> list[dict[str, Any]]:
    with closing(Observer(spec, OFFRAMPS)) as observer:
        rows = pa.Table.from_batches(list(observer.observe(since or {})), OBSERVED).to_pylist()
    return list(rows)


def ids(rows: Sequence[dict[str, Any]]) -> list[int]:
    return [int(row["message_id"], 16) for row in rows]


def doubts(spec: BusSpec, since: dict[str, str]) -> dict[str, str | None]:
    with closing(Observer(spec, OFFRAMPS)) as observer:
        return {to: sight.doubt for to, sight in observer.sights(since).items()}


def positions(spec: BusSpec) -> dict[str, str]:
    with closing(Observer(spec, OFFRAMPS)) as observer:
        return dict(observer.positions())


@contextmanager
def publisher(spec: BusSpec, offramps: dict[str, OffRampSpec] = OFFRAMPS) -> Iterator[Publisher]:
    with closing(Publisher(spec, offramps)) as found:
        yield found


def stream_of(spec: BusSpec, to: str = "custody") -> str:
    return f"{dict(spec.options)['prefix']}-{to}"


def finish(spec: BusSpec, windows: Sequence[Any], marks: Sequence[str]) -> list[Receipts]:
    """What a later process does: ask what became of every window, and publish what is absent."""
    answers = []
    with publisher(spec) as again:
        for each, mark in zip(windows, marks, strict=True):
            answers.append(again.resolve(each, mark, {}))
        for each, answer in zip(windows, answers, strict=True):
            absent = [place for place, here in enumerate(answer.confirmed) if not here]
            if absent:
                assert all(publish(again, each.take(absent)).confirmed)
    return answers


def begin(sender: Publisher, windows: Sequence[Any]) -> tuple[list[str], list[Receipts]]:
    """Send windows until the bus fails: the marks of those that were begun, and what was
    answered."""
    marks, answered = [], []
    with pytest.raises(BusRefused):
        for each in windows:
            marks.append(sender.mark(each))
            sender.send(each)
        while True:
            answered.append(sender.receipts())
    return marks, answered


def check_whole(spec: BusSpec, windows: Sequence[Any]) -> None:
    """Everything is there, once, in its order."""
    wanted = [int(one, 16) for each in windows for one in each.message_ids]
    assert ids(seen(spec)) == wanted


@pytest.mark.parametrize("after", [50_000, 1_000_000, 3_900_000])
@pytest.mark.parametrize("mute", [False, True], ids=["cut", "answers lost"])
def test_a_connection_cut_within_windows_loses_nothing_and_doubles_nothing(
    between: Proxy, after: int, mute: bool
) -> None:
    """Four windows under way; the server may forget ids at once."""
    spec = on(between.url, FORGETFUL)
    provision(spec)
    windows = [window(sends(1000, number * 1000)) for number in range(4)]
    with publisher(spec) as sender:
        between.arm(after, between.cut, mute=after if mute else 0)
        marks, answered = begin(sender, windows)
    answers = finish(spec, windows[len(answered) : len(marks)], marks[len(answered) :])
    flat = [here for each in answers for here in each.confirmed]
    assert flat == sorted(flat, reverse=True), "not a prefix"
    finish(spec, windows[len(marks) :], ["{}"] * (4 - len(marks)))
    check_whole(spec, windows)


@pytest.mark.parametrize("after", [1_000, 500_000, 2_500_000])
def test_a_server_killed_within_windows_and_started_again(
    own: Server, between: Proxy, after: int
) -> None:
    """SIGKILL: what the page cache holds stays, and the streams tell what arrived."""
    spec = on(between.url, FORGETFUL)
    provision(spec)
    windows = [window(sends(1000, number * 1000)) for number in range(4)]
    with publisher(spec) as sender:
        between.arm(after, own.kill)
        marks, answered = begin(sender, windows)
    between.cut()
    own.start()
    finish(spec, windows[len(answered) : len(marks)], marks[len(answered) :])
    finish(spec, windows[len(marks) :], ["{}"] * (4 - len(marks)))
    check_whole(spec, windows)


def test_a_server_that_keeps_silent_is_given_up(own: Server) -> None:
    """Bounded patience; nothing is confirmed that was not answered."""
    spec = on(own.url, ("patience_s", "0.3"))
    provision(spec)
    with publisher(spec) as sender:
        own.pause()
        sender.send(window(sends(3)))
        with pytest.raises(BusRefused, match="no answer in time"):
            sender.receipts()
    own.go_on()


def test_a_lost_connection_with_nothing_under_way_is_had_anew(own: Server, between: Proxy) -> None:
    """Nothing can be doubled or lost then; a server that was restarted need not remember ids."""
    spec = on(between.url, FORGETFUL)
    provision(spec)
    with publisher(spec) as sender:
        publish(sender, window(sends(3)))
        own.kill()
        between.cut()
        own.start()
        assert all(publish(sender, window(sends(3, 3))).confirmed)
    assert ids(seen(spec)) == [0, 1, 2, 3, 4, 5]


def test_without_a_stream_a_message_is_unroutable(bus: BusSpec) -> None:
    """A core publish would vanish without a word."""
    with publisher(bus) as sender:
        with nats_server.api(bus) as api:
            api.ask(f"STREAM.DELETE.{stream_of(bus)}")
        receipts = publish(sender, window([*sends(2), *sends(1, to="nfd")]))
    assert list(receipts.confirmed) == [False, False, True]
    assert receipts.problems == dict.fromkeys((0, 1), "unroutable: no stream takes its subject")
    with pytest.raises(BusRefused, match=stream_of(bus)):
        Publisher(bus, OFFRAMPS)
    with closing(Observer(bus, OFFRAMPS)) as observer, pytest.raises(CouldNotVerify):
        list(observer.observe({}))


def test_a_stream_made_anew_takes_nothing_that_was_begun_on_the_old_one(bus: BusSpec) -> None:
    """Its predecessors are gone; and a position of the old one hides nothing of the new one."""
    with publisher(bus) as sender:
        publish(sender, window(sends(5)))
        since = positions(bus)
        with nats_server.api(bus) as api:
            api.ask(f"STREAM.DELETE.{stream_of(bus)}")
        provision(bus)
        assert list(publish(sender, window(sends(2, 5))).confirmed) == [False, False]
    with publisher(bus) as sender:
        assert all(publish(sender, window(sends(2, 5))).confirmed)
    assert ids(seen(bus, since)) == [5, 6]
    assert list(doubts(bus, since)) == ["custody"]


def test_a_full_stream_takes_a_prefix_and_drops_nothing(bus: BusSpec) -> None:
    """What does not fit any more is refused, and all behind it, in later windows too."""
    small = {**OFFRAMPS, "small": OffRampSpec("small", options=(("max_msgs", "5"),))}
    provision(bus, small)
    with publisher(bus, small) as sender:
        windows = [window(sends(4, n, to="small")) for n in (0, 4, 8)]
        for each in windows:
            sender.send(each)
        receipts = [sender.receipts() for _ in windows]
    assert [sum(each.confirmed) for each in receipts] == [4, 1, 0]
    assert receipts[1].problems[1] == "refused: the stream is full or cannot store it"
    with nats_server.api(bus) as api:
        stream = api.stream(stream_of(bus, "small"))
        assert stream is not None and stream.state["messages"] == 5
        api.ask(f"STREAM.UPDATE.{stream.name}", {**stream.config, "max_msgs": 20})
    with publisher(bus, small) as sender:
        assert all(publish(sender, windows[1].take([1, 2, 3])).confirmed)


def test_a_stream_full_by_bytes_lets_no_smaller_successor_pass(bus: BusSpec) -> None:
    """A window lands as a prefix, whatever would still fit."""
    small = {**OFFRAMPS, "small": OffRampSpec("small", options=(("max_bytes", "20000"),))}
    provision(bus, small)
    with publisher(bus, small) as sender:
        given = [*sends(1, 0, "small"), *sends(1, 1, "small", 50_000), *sends(3, 2, "small")]
        receipts = publish(sender, window(given))
    assert list(receipts.confirmed) == [True, False, False, False, False]


def test_what_is_too_large_with_its_headers_is_never_sent(bus: BusSpec) -> None:
    """The server would end the connection; on other off-ramps the window goes on."""
    limit = 8 * 1024 * 1024
    given = [
        *sends(1),
        Sent("custody", f"{1:032x}", {"ce_id": "x"}, b"x" * (limit - 100)),
        *sends(1, 2),
        *sends(1, 3, to="nfd"),
    ]
    with publisher(bus) as sender:
        receipts = publish(sender, window(given))
        assert list(receipts.confirmed) == [True, False, False, True]
        assert "too large" in receipts.problems[1]
        assert all(publish(sender, window(sends(1, 4))).confirmed)
    assert sorted(ids(seen(bus))) == [0, 3, 4]


def test_headers_beyond_what_jetstream_takes_are_refused(bus: BusSpec) -> None:
    """64 KiB, whatever the payload may have."""
    with publisher(bus) as sender:
        wide = Sent("custody", f"{1:032x}", {"ce_subject": "s" * 70_000})
        receipts = publish(sender, window([wide]))
    assert receipts.problems[0].startswith("refused: its headers")


def test_nobody_slips_in_on_an_exclusive_off_ramp(bus: BusSpec) -> None:
    """Not on another lane either: what was to follow is refused, none of it is confirmed."""
    with publisher(bus) as sender:
        publish(sender, window(sends(3)))
        write(bus, "custody.express", {})
        receipts = publish(sender, window(sends(3, 3)))
    assert list(receipts.confirmed) == [False] * 3
    assert ids(seen(bus)[:3]) == [0, 1, 2] and len(seen(bus)) == 4


def test_a_second_writer_is_fenced(bus: BusSpec) -> None:
    """Two processes cannot both load an exclusive off-ramp."""
    with publisher(bus) as first, publisher(bus) as second:
        assert all(publish(first, window(sends(2))).confirmed)
        assert not any(publish(second, window(sends(2, 2))).confirmed)
        assert all(publish(first, window(sends(2, 4))).confirmed)
    assert ids(seen(bus)) == [0, 1, 4, 5]


def test_others_write_on_a_shared_off_ramp_as_they_like(bus: BusSpec) -> None:
    """Nothing is refused, and every message of theirs is shown as it lies."""
    with publisher(bus, SHARED) as sender:
        assert not sender.rejects_successors
        publish(sender, window(sends(2)))
        write(bus, "custody.bulk", {"Nats-Msg-Id": "theirs", "X-Odd": "a: b", "ce-id": '%zz"\\'})
        write(bus, "custody.other", {})
        assert all(publish(sender, window(sends(2, 2))).confirmed)
    rows = seen(bus)
    assert [row["lane"] for row in rows] == ["bulk", "bulk", "bulk", "other", "bulk", "bulk"]
    assert (rows[2]["message_id"], rows[2]["body"]) == ("theirs", b"stray")
    assert json.loads(rows[2]["headers"]) == {"X-Odd": "a: b", "ce_id": '%zz"\\'}
    assert rows[3]["headers"] == "{}"


def test_a_repeat_is_confirmed_where_it_lies_once_it_was_looked_at(bus: BusSpec) -> None:
    """`duplicate` says that an id was seen, not that the message is there."""
    with publisher(bus, SHARED) as sender:
        first = publish(sender, window(sends(3)))
        again = publish(sender, window(sends(3)))
    assert list(again.confirmed) == [True] * 3
    assert list(again.positions) == list(first.positions)
    assert len(seen(bus)) == 3


def test_a_repeat_of_something_else_is_not_confirmed(bus: BusSpec) -> None:
    """A stranger's message under our id, with another body."""
    write(bus, "custody.bulk", {"Nats-Msg-Id": f"run-1/custody/{0:032x}"})
    with publisher(bus, SHARED) as sender:
        receipts = publish(sender, window(sends(2)))
    assert list(receipts.confirmed) == [False, True]
    assert receipts.problems == {0: "taken for a repeat of a message that is another"}


def test_a_doubt_is_not_resolved_by_what_only_looks_like_it(bus: BusSpec) -> None:
    """Neither a body of somebody else under our id nor our message on another lane."""
    with publisher(bus) as sender:
        mark = sender.mark(window(sends(2)))
    write(bus, "custody.bulk", {"Nats-Msg-Id": f"run-1/custody/{0:032x}"})
    with publisher(bus) as sender:
        publish(sender, window(sends(2)[1:], lane="express"))
        assert list(sender.resolve(window(sends(2)), mark, {}).confirmed) == [False, False]


def test_a_resume_after_the_server_forgot_the_ids_doubles_nothing() -> None:
    """Ids are forgotten after a tenth of a second; the stream itself is not."""
    with nats_server.bus(None, FORGETFUL) as spec:
        provision(spec)
        one = window(sends(50))
        with publisher(spec, SHARED) as sender:
            mark = sender.mark(one)
            publish(sender, one)
        write(spec, "custody.other", {"Nats-Msg-Id": "probe"})
        while "duplicate" in write(spec, "custody.other", {"Nats-Msg-Id": "probe"}):
            pass
        with publisher(spec, SHARED) as sender:
            assert all(sender.resolve(one, mark, {}).confirmed)


def test_a_stream_that_lost_messages_is_a_doubt(bus: BusSpec) -> None:
    """Deleted one by one, or purged: behind the start position only."""
    with publisher(bus) as sender:
        publish(sender, window(sends(10)))
        with nats_server.api(bus) as api:
            api.ask(f"STREAM.MSG.DELETE.{stream_of(bus)}", {"seq": 3})
        since = positions(bus)
        assert doubts(bus, since) == {}
        publish(sender, window(sends(10, 10)))
    with nats_server.api(bus) as api:
        api.ask(f"STREAM.MSG.DELETE.{stream_of(bus)}", {"seq": 15})
        assert (doubts(bus, since)["custody"] or "").startswith("1 messages")
        api.ask(f"STREAM.PURGE.{stream_of(bus)}", {"keep": 2})
    assert (doubts(bus, since)["custody"] or "").startswith("8 messages")
    assert ids(seen(bus, since)) == [18, 19]
    with nats_server.api(bus) as api:
        api.ask(f"STREAM.PURGE.{stream_of(bus)}")
    assert (doubts(bus, since)["custody"] or "").startswith("10 messages")
    assert seen(bus, since) == []


def test_observing_leaves_no_trace(bus: BusSpec) -> None:
    """No consumer stays behind, neither of the witness nor of a resolved doubt."""
    one = window(sends(2500))
    with publisher(bus) as sender:
        publish(sender, one)
        sender.resolve(one, None, {})
    assert len(seen(bus)) == 2500
    with nats_server.api(bus) as api:
        stream = api.stream(stream_of(bus))
        assert stream is not None and stream.state["consumer_count"] == 0


def test_bodies_beyond_a_readers_batch_are_read_one_by_one(tmp_path: Path) -> None:
    """A message may be larger than what is asked for at once."""
    with server(tmp_path / "nats", "max_payload: 40MB") as found:
        spec = on(found.url)
        provision(spec)
        sizes = [10, 20_000_000, 10, 9_000_000, 9_000_000, 10]
        given = [Sent("custody", f"{n:032x}", {}, b"x" * size) for n, size in enumerate(sizes)]
        with publisher(spec) as sender:
            assert all(publish(sender, window(given)).confirmed)
        assert [len(row["body"]) for row in seen(spec)] == sizes


def test_a_server_without_room_refuses_and_confirms_nothing_more(tmp_path: Path) -> None:
    """The account's or the server's storage is used up."""
    with server(tmp_path / "nats", store="max_file_store: 1MB") as found:
        spec = on(found.url)
        provision(spec)
        with publisher(spec) as sender:
            receipts = publish(sender, window(sends(2000)))
    taken = sum(receipts.confirmed)
    assert 0 < taken < 2000
    assert list(receipts.confirmed) == [True] * taken + [False] * (2000 - taken)
    assert receipts.problems[taken].startswith("refused")
