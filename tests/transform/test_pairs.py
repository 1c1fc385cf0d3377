"""What invariants see: the legacy side as columns, the message side as its body says."""

import duckdb
import pyarrow as pa

from migrate.core.flow import InvariantSpec, PayloadSpec
from migrate.transform.derive import Deriver
from tests.transform.build import ENVELOPE, derive, fields, flow, legacy, output

SQL = (
    "SELECT position, no AS number, CAST(ver AS INTEGER) AS version, DATE '2018-01-02' AS day, "
    "{'days': [DATE '2018-02-03'], 'empty': CAST(NULL AS VARCHAR)} AS detail, l AS items "
    "FROM message"
)
PAYLOAD = PayloadSpec("json", fields(no="/no", ver="/ver", l=("/l", "many")))
FLOW = flow(
    output(SQL),
    output(name="other"),
    payload=PAYLOAD,
    invariants=(InvariantSpec("x", "SELECT legacy_id FROM pairs", "custody"),),
)


def test_pairs_hold_every_column_and_every_member_with_its_type() -> None:
    derived = derive(FLOW, legacy({"body": b'{"no":"7","ver":1,"l":["a",null]}', "status": "NEW"}))
    assert list(derived.pairs) == ["custody"]
    pairs = derived.pairs["custody"]
    assert pairs.schema.names == ["legacy_id", "message_id", "legacy", "message"]
    (row,) = duckdb.sql(
        "SELECT legacy_id, legacy.no, legacy.no__kind, legacy.status, legacy.l, message.version, "
        "message.day, message.detail.days, message.detail.empty, message.items FROM pairs"
    ).fetchall()
    day, days = row[6], row[7]
    assert (str(day), [str(each) for each in days]) == ("2018-01-02", ["2018-02-03"])
    assert row[:6] == ("M0", "7", "string", "NEW", ["a", None], 1)
    assert row[8:] == (None, ["a", None])
    assert (
        pairs.column("message_id").to_pylist()
        == derived.messages.slice(0, 1).column("message_id").to_pylist()
    )


def test_pairs_hold_only_what_became_a_message_of_their_output() -> None:
    rows = legacy(
        {"body": b'{"no":"1"}'},
        {"body": b"{"},
        {"body": b'{"no":"2"}', "delivered_to": ["custody"]},
    )
    derived = derive(FLOW, rows)
    assert derived.pairs["custody"].column("legacy_id").to_pylist() == ["M0"]


def test_pairs_of_no_message_still_have_their_types() -> None:
    full = derive(FLOW, legacy({"body": b'{"no":"1"}'})).pairs["custody"]
    for rows in (legacy(), legacy({"body": b"{"})):
        assert derive(FLOW, rows).pairs["custody"].schema == full.schema


def test_pairs_can_be_left_out() -> None:
    with Deriver(FLOW, ENVELOPE, {}, pairs=False) as deriver:
        assert deriver.derive(legacy({"body": b'{"no":"1"}'})).pairs == {}


def test_a_condition_can_be_asked_of_legacy_rows() -> None:
    """As reconciliation does for requests and replies."""
    rows = legacy({"status": "1"}, {"status": None}, {"status": "x"}, {"status": "2"})
    with Deriver(FLOW, ENVELOPE, {}) as deriver:
        found = deriver.matches(rows, "CAST(status AS INTEGER) = 1")
    assert found.equals(pa.array([True, False, None, False]))
