"""The envelope: CloudEvents attributes, complete, sorted, verbatim."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from migrate.core.clock import rfc3339
from migrate.core.identity import message_digest
from migrate.formats.envelope import bus_headers
from migrate.transform.facts import Facts
from tests.transform.build import derive, flow, legacy, output

INSTANTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))


def envelope(**columns: object) -> dict[str, str]:
    """The attributes of the one message of one row."""
    (message,) = derive(flow(), legacy(columns)).messages.to_pylist()
    pairs = [(each["name"], each["value"]) for each in message["attributes"]]
    assert pairs == sorted(pairs)
    assert message["digest"] == message_digest(pairs, message["body"])
    return dict(pairs)


def test_the_whole_envelope() -> None:
    found = envelope(
        legacy_id="M-7",
        position=41,
        order_key="99ZZ/1/18",
        correlation_id="C1",
        created_at=datetime(2018, 3, 31, 23, tzinfo=UTC),
        expires_at=datetime(2018, 7, 1, 0, 0, 0, 5000, tzinfo=UTC),
    )
    assert len(found.pop("ce_id")) == 32
    assert found == {
        "ce_correlationid": "C1",
        "ce_dataschema": "urn:custody",
        "ce_environment": "rehearsal",
        "ce_expirytime": "2018-07-01T00:00:00.005000Z",
        "ce_flow": "custody",
        "ce_legacyid": "M-7",
        "ce_marking": "OFFICIAL-SENSITIVE",
        "ce_orderkey": "99ZZ/1/18",
        "ce_sequence": "0000000000000000041",
        "ce_source": "urn:isb-migrate:met.isb:custody",
        "ce_specversion": "1.0",
        "ce_time": "2018-03-31T23:00:00Z",
        "ce_type": "met.isb.custody-record.v2",
        "content-type": "application/json",
    }


def test_what_has_no_value_is_left_out() -> None:
    assert not {"ce_time", "ce_orderkey", "ce_correlationid", "ce_subject"} & envelope().keys()


def test_control_characters_stay_as_they_are() -> None:
    odd = "a\r\nNats-Rollup: all\x00"
    assert envelope(order_key=odd)["ce_orderkey"] == odd


def test_lane_and_run_travel_outside_the_digest_with_keys_sorted() -> None:
    (message,) = derive(flow(output()), legacy({})).messages.to_pylist()
    headers = bus_headers(message["attributes"], "express", "run-1")
    assert list(headers) == sorted(headers)
    assert headers["ce_lane"] == "express"
    assert headers["ce_runid"] == "run-1"
    pairs = [(each["name"], each["value"]) for each in message["attributes"]]
    assert headers == bus_headers(pairs, "express", "run-1")
    assert headers == bus_headers(dict(pairs), "express", "run-1")
    assert json.loads(json.dumps(headers)) == headers


@given(st.lists(st.one_of(st.none(), INSTANTS), max_size=5))
def test_times_are_written_as_the_clock_writes_them(moments: list[datetime | None]) -> None:
    aware = [None if moment is None else moment.replace(tzinfo=UTC) for moment in moments]
    table = legacy(*({"created_at": moment} for moment in aware))
    assert Facts.of(table).time == [None if moment is None else rfc3339(moment) for moment in aware]
