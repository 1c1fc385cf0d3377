"""What every bus must do, whichever it is."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from loaders import BUSES, bus_part
from loaders.claims import open_claims
from migrate.core.errors import NoGauge
from migrate.core.flow import ARCHIVE, BacklogSpec, BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.schema import OBSERVED
from migrate.plan.stores import open_gauge, open_observer
from migrate.run.bus import open_publisher
from tests.contract.buses import CASES, FRESH, Fresh, offramps
from tests.contract.receivers import Receiver, receiving
from tests.windows import Sent, window
from tests.windows import publish as publish_by


def part(spec: BusSpec, name: str) -> Any:
    """A part of a bus, as a run or the witness opens it: with content modes and claim check."""
    opened = {"publish:Publisher": open_publisher, "observe:Observer": open_observer}
    if name in opened:
        return opened[name](spec, offramps(spec))
    return bus_part(spec.kind, name)(spec, offramps(spec))


def provision(spec: BusSpec) -> None:
    provisioner = part(spec, "provision:Provisioner")
    provisioner.provision()
    provisioner.close()
    if spec.claims is not None:
        open_claims(spec).provision()


def publish(spec: BusSpec, deliveries: Sequence[Sent], run: str = "run-1") -> Receipts:
    publisher = part(spec, "publish:Publisher")
    try:
        return publish_by(publisher, window(deliveries, run=run))
    finally:
        publisher.close()


def resolve(
    spec: BusSpec, deliveries: Sequence[Sent], since: dict[str, str], mark: str | None = None
) -> Any:
    publisher = part(spec, "publish:Publisher")
    try:
        return publisher.resolve(window(deliveries), mark, since)
    finally:
        publisher.close()


def observe(spec: BusSpec, since: dict[str, str]) -> list[dict[str, Any]]:
    observer = part(spec, "observe:Observer")
    try:
        batches = list(observer.observe(since))
    finally:
        observer.close()
    return list(pa.Table.from_batches(batches, OBSERVED).to_pylist())


def positions(spec: BusSpec) -> dict[str, str]:
    observer = part(spec, "observe:Observer")
    try:
        return dict(observer.positions())
    finally:
        observer.close()


def outgoing(number: int, destination: str = "custody") -> Sent:
    attributes = {"ce_id": f"{number:032x}", "ce_subject": 'naïve "quote"\x00\r\n'}
    body = bytes([number % 256]) * 3 + "ü\x00".encode()
    return Sent(destination, f"{number:032x}", attributes, body, order_key="one")


@pytest.fixture(params=CASES)
def spec(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BusSpec]:
    """A provisioned, empty bus."""
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    fresh: Fresh = request.param
    with fresh(tmp_path) as spec:
        provision(spec)
        yield spec


def test_every_registered_bus_is_under_this_contract() -> None:
    """A bus is no bus before this suite has run over it."""
    assert set(FRESH) == set(BUSES)


def test_provisioning_twice_changes_nothing(spec: BusSpec) -> None:
    """Provisioning is idempotent and keeps what is there."""
    publish(spec, [outgoing(1)])
    provision(spec)
    assert len(observe(spec, {})) == 1


def test_what_is_published_is_observed_byte_for_byte(spec: BusSpec) -> None:
    """Destination, lane, id, headers (control characters included) and body come back as given."""
    deliveries = [outgoing(number) for number in range(5)]
    publish(spec, deliveries)
    seen = observe(spec, {})
    assert [row["body"] for row in seen] == [sent.body for sent in deliveries]
    assert [json.loads(row["headers"]) for row in seen] == [
        {**sent.attributes, "ce_lane": "bulk", "ce_runid": "run-1"} for sent in deliveries
    ]
    assert {(row["destination"], row["lane"]) for row in seen} == {("custody", "bulk")}


def test_a_window_arrives_in_its_order(spec: BusSpec) -> None:
    """Arrival orders the deliveries of a destination and lane as they were published."""
    publish(spec, [outgoing(number) for number in (5, 3, 9, 1, 7)])
    publish(spec, [outgoing(2)])
    seen = sorted(observe(spec, {}), key=lambda row: row["arrival"])
    assert [int(row["message_id"], 16) for row in seen] == [5, 3, 9, 1, 7, 2]


def test_one_message_may_go_to_two_destinations(spec: BusSpec) -> None:
    """A delivery is message times destination."""
    receipts = publish(spec, [outgoing(1), outgoing(1, "nfd")])
    assert list(receipts.confirmed) == [True, True]
    assert {row["destination"] for row in observe(spec, {})} == {"custody", "nfd"}


def test_a_receipt_names_the_place_where_the_witness_finds_the_delivery(spec: BusSpec) -> None:
    """Confirmed never means merely sent. A bus may say nothing of where it put it."""
    receipts = publish(spec, [outgoing(1), outgoing(2, "nfd")])
    places = {row["message_id"]: row["place"] for row in observe(spec, {})}
    found = [places[f"{1:032x}"], places[f"{2:032x}"]]
    assert list(receipts.confirmed) == [True, True]
    assert list(receipts.positions) in (found, [None, None])


def test_what_was_there_before_the_start_position_is_not_seen(spec: BusSpec) -> None:
    """An older run's deliveries do not satisfy this one."""
    publish(spec, [outgoing(1), outgoing(2, "nfd")], "run-0")
    since = positions(spec)
    publish(spec, [outgoing(3)])
    assert [int(row["message_id"], 16) for row in observe(spec, since)] == [3]


def test_a_destination_without_a_start_position_is_read_from_its_beginning(spec: BusSpec) -> None:
    """A destination that had nothing when the run started hides nothing."""
    publish(spec, [outgoing(1)])
    since = {"nfd": "", **positions(spec)}
    publish(spec, [outgoing(2, "nfd"), outgoing(3, ARCHIVE)])
    assert {row["destination"] for row in observe(spec, since)} == {"nfd", ARCHIVE}


def test_an_in_doubt_window_is_resolved_delivery_by_delivery(spec: BusSpec) -> None:
    """The bus tells which of a window are there, if it can tell at all."""
    publish(spec, [outgoing(1), outgoing(2, "nfd")])
    answers = resolve(spec, [outgoing(1), outgoing(2), outgoing(2, "nfd")], {})
    if answers is None:
        pytest.skip("this bus cannot be asked")
    assert list(answers.confirmed) == [True, False, True]


def test_an_older_runs_copy_does_not_resolve_a_doubt(spec: BusSpec) -> None:
    """A doubt is resolved by run id and by start position, not by message id alone."""
    publish(spec, [outgoing(1)])
    since = positions(spec)
    publish(spec, [outgoing(2)], "run-0")
    answers = resolve(spec, [outgoing(1), outgoing(2)], since)
    if answers is None:
        pytest.skip("this bus cannot be asked")
    assert list(answers.confirmed) == [False, False]


def test_windows_are_answered_in_the_order_in_which_they_were_sent(spec: BusSpec) -> None:
    """As many may be under way as the publisher says."""
    publisher = part(spec, "publish:Publisher")
    assert publisher.rejects_successors in (True, False)
    windows = [window([outgoing(n)]) for n in range(publisher.in_flight)]
    for each in windows:
        publisher.mark(each)
        publisher.send(each)
    receipts = [publisher.receipts() for _ in windows]
    publisher.close()
    assert all(list(each.confirmed) == [True] for each in receipts)
    seen = sorted(observe(spec, {}), key=lambda row: row["arrival"])
    assert [int(row["message_id"], 16) for row in seen] == list(range(len(windows)))
    places = [row["place"] for row in seen]
    assert [each.positions[0] for each in receipts] in (places, [None] * len(windows))


def test_what_is_wanted_is_present_once_it_is_provisioned(tmp_path: Path, spec: BusSpec) -> None:
    """A difference can be shown before anything is touched, and there is none afterwards."""
    provisioner = part(spec, "provision:Provisioner")
    wanted, present = list(provisioner.wanted()), list(provisioner.present())
    provisioner.close()
    assert wanted
    assert [piece for piece in wanted if piece not in present] == []


def test_a_large_window_of_large_bodies_lands_whole(spec: BusSpec) -> None:
    """A payload of megabytes among a thousand small ones is no special case."""
    big = Sent("custody", "b" * 32, {"ce_id": "b" * 32}, b"\x00\xff" * 2_500_000)
    deliveries = [*(outgoing(number) for number in range(999)), big]
    assert list(publish(spec, deliveries).confirmed) == [True] * 1000
    seen = observe(spec, {})
    assert len(seen) == 1000
    assert {row["message_id"]: row["body"] for row in seen}[big.message_id] == big.body


def backlog(receiver: Receiver) -> int:
    with closing(open_gauge(receiver.spec, receiver.offramps)) as gauge:
        assert gauge.backlog() == gauge.backlog()
        return gauge.backlog()["custody"]


def test_a_backlog_is_what_receivers_have_yet_to_take(spec: BusSpec) -> None:
    """Whoever published it, in all lanes of the off-ramp and in no other; or the plan is refused
    before the bus is reached."""
    with receiving(spec) as receiver:
        if receiver is None:
            with pytest.raises(NoGauge):
                open_gauge(spec, {"custody": OffRampSpec("custody", backlog=BacklogSpec(9, 3))})
            return
        assert backlog(receiver) == 0
        publish(spec, [outgoing(number) for number in range(5)], "run-0")
        publish(spec, [outgoing(9, "nfd")])
        for left, count in ((5, 0), (3, 2), (0, 3)):
            receiver.take(count)
            assert left <= backlog(receiver) <= left + receiver.spare
