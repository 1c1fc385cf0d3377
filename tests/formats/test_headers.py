"""The headers expected on the bus are, byte for byte, what a loader ought to write."""

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.formats.envelope import bus_headers
from migrate.formats.headers import head_texts

names = st.sampled_from(["ce_a", "ce_id", "ce_lanes", "ce_type", "content-type", "ä"])
envelopes = st.dictionaries(names, st.text(max_size=6) | st.just("same"), max_size=6)


@settings(deadline=None)
@given(st.lists(st.tuples(envelopes, st.sampled_from(["express", "bulk"])), max_size=12))
def test_head_texts_are_the_compact_json_of_bus_headers(
    rows: list[tuple[dict[str, str], str]],
) -> None:
    """Whatever the names and values, in whatever mixture of rows."""
    kind = pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))
    attributes = pa.array(
        [
            [{"name": name, "value": value} for name, value in sorted(envelope.items())]
            for envelope, _ in rows
        ],
        kind,
    )
    lanes = pa.array([lane for _, lane in rows], pa.string())
    expected = [
        json.dumps(bus_headers(envelope, lane, "r-1"), ensure_ascii=False, separators=(",", ":"))
        for envelope, lane in rows
    ]
    assert head_texts(attributes, lanes, "r-1").to_pylist() == expected


def test_a_slice_of_a_batch_gives_its_own_rows() -> None:
    """Offsets of a slice do not start at zero."""
    attributes = pa.array([[{"name": "a", "value": str(n)}] for n in range(9)])
    lanes = pa.array(["x"] * 9)
    whole = head_texts(attributes, lanes, "r")
    assert head_texts(attributes.slice(3, 4), lanes.slice(3, 4), "r").equals(whole.slice(3, 4))
