"""What every bus must do, whichever it is."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from loaders import BUSES, bus_part
from migrate.core.flow import ARCHIVE, LANES, BusSpec, OffRampSpec
from migrate.core.ports import Outgoing
from migrate.core.schema import OBSERVED
from tests.contract.buses import CASES, FRESH, Fresh

OFFRAMPS = [OffRampSpec(name) for name in ("custody", "nfd", ARCHIVE)]


def part(spec: BusSpec, name: str) -> Any:
    """The registered class behind a part of a bus, on a spec."""
    return bus_part(spec.kind, name)(spec)


def provision(spec: BusSpec) -> None:
    provisioner = part(spec, "provision:Provisioner")
    provisioner.provision(OFFRAMPS, LANES)
    provisioner.close()


def publish(spec: BusSpec, window: Sequence[Outgoing]) -> list[Any]:
    publisher = part(spec, "publish:Publisher")
    try:
        return list(publisher.publish(window))
    finally:
        publisher.close()


def resolve(spec: BusSpec, window: Sequence[Outgoing], since: dict[str, str]) -> Any:
    publisher = part(spec, "publish:Publisher")
    try:
        return publisher.resolve(window, "run-1", since)
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


def outgoing(number: int, destination: str = "custody", run: str = "run-1") -> Outgoing:
    headers = {"ce_id": f"{number:032x}", "ce_runid": run, "ce_subject": 'naïve "quote"\x00\r\n'}
    body = bytes([number % 256]) * 3 + "ü\x00".encode()
    return Outgoing(destination, "bulk", f"{number:032x}", headers, body)


@pytest.fixture(params=CASES)
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BusSpec]:
    """A provisioned, empty bus."""
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
    window = [outgoing(number) for number in range(5)]
    publish(spec, window)
    seen = observe(spec, {})
    assert [row["body"] for row in seen] == [sent.body for sent in window]
    assert [json.loads(row["headers"]) for row in seen] == [dict(sent.headers) for sent in window]
    assert {(row["destination"], row["lane"]) for row in seen} == {("custody", "bulk")}


def test_a_window_arrives_in_its_order(spec: BusSpec) -> None:
    """Arrival orders the deliveries of a destination and lane as they were published."""
    window = [outgoing(number) for number in (5, 3, 9, 1, 7)]
    publish(spec, window)
    publish(spec, [outgoing(2)])
    seen = sorted(observe(spec, {}), key=lambda row: row["arrival"])
    assert [int(row["message_id"], 16) for row in seen] == [5, 3, 9, 1, 7, 2]


def test_one_message_may_go_to_two_destinations(spec: BusSpec) -> None:
    """A delivery is message times destination."""
    receipts = publish(spec, [outgoing(1), outgoing(1, "nfd")])
    assert all(receipt.confirmed for receipt in receipts)
    assert {row["destination"] for row in observe(spec, {})} == {"custody", "nfd"}


def test_a_receipt_names_the_place_where_the_witness_finds_the_delivery(spec: BusSpec) -> None:
    """Confirmed never means merely sent."""
    receipts = publish(spec, [outgoing(1), outgoing(2, "nfd")])
    places = {row["message_id"]: row["place"] for row in observe(spec, {})}
    assert [receipt.bus_position for receipt in receipts] == [
        places[f"{1:032x}"],
        places[f"{2:032x}"],
    ]


def test_what_was_there_before_the_start_position_is_not_seen(spec: BusSpec) -> None:
    """An older run's deliveries do not satisfy this one."""
    publish(spec, [outgoing(1, run="run-0"), outgoing(2, "nfd", run="run-0")])
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
    assert [answer.confirmed for answer in answers] == [True, False, True]


def test_an_older_runs_copy_does_not_resolve_a_doubt(spec: BusSpec) -> None:
    """A doubt is resolved by run id and by start position, not by message id alone."""
    publish(spec, [outgoing(1)])
    since = positions(spec)
    publish(spec, [outgoing(2, run="run-0")])
    answers = resolve(spec, [outgoing(1), outgoing(2)], since)
    if answers is None:
        pytest.skip("this bus cannot be asked")
    assert [answer.confirmed for answer in answers] == [False, False]


def test_a_publisher_says_whether_its_windows_are_atomic(spec: BusSpec) -> None:
    """Loading cuts its windows by it."""
    publisher = part(spec, "publish:Publisher")
    assert publisher.atomic in (True, False)
    publisher.close()


def test_a_large_window_of_large_bodies_lands_whole(spec: BusSpec) -> None:
    """A payload of megabytes among a thousand small ones is no special case."""
    big = Outgoing("custody", "bulk", "b" * 32, {"ce_runid": "run-1"}, b"\x00\xff" * 2_500_000)
    window = [*(outgoing(number) for number in range(999)), big]
    assert len(publish(spec, window)) == 1000
    seen = observe(spec, {})
    assert len(seen) == 1000
    assert seen[-1]["body"] == big.body
