"""Which messages a legacy message yields, and where they go."""

import pytest

from migrate.core.flow import FateRule, RouteSpec
from migrate.transform.derive import possible_message_ids
from tests.transform.build import bodies, derive, fates, flow, legacy, output, sent

TO_CUSTODY = (RouteSpec("custody", "express"),)
TO_NFD = (RouteSpec("nfd", "bulk"),)
SQL = "SELECT position, legacy_id AS id FROM message"


def test_one_legacy_message_may_yield_several() -> None:
    spec = flow(output(), output(name="footwear", routes=TO_NFD, when="status = 'FW'"))
    derived = derive(spec, legacy({"status": "FW"}, {"status": "X"}, {}))
    assert sent(derived) == [
        (0, "custody", [("custody", "express")]),
        (0, "footwear", [("nfd", "bulk")]),
        (1, "custody", [("custody", "express")]),
        (2, "custody", [("custody", "express")]),
    ]


def test_a_message_to_which_no_output_applies_is_quarantined() -> None:
    derived = derive(flow(output(when="status = 'FW'")), legacy({}))
    assert fates(derived) == [("quarantined", "no_output", None)]


def test_the_first_route_of_a_destination_that_holds_names_the_lane() -> None:
    routes = (
        RouteSpec("mobile", "express", "priority > 6"),
        RouteSpec("mobile", "standard", "priority > 3"),
        RouteSpec("gazetteer", "bulk"),
        RouteSpec("mobile", "bulk"),
    )
    rows = legacy({"priority": 9}, {"priority": 5}, {"priority": None})
    assert sent(derive(flow(output(routes=routes)), rows)) == [
        (0, "custody", [("mobile", "express"), ("gazetteer", "bulk")]),
        (1, "custody", [("mobile", "standard"), ("gazetteer", "bulk")]),
        (2, "custody", [("mobile", "bulk"), ("gazetteer", "bulk")]),
    ]


def test_an_output_without_a_route_that_holds_is_quarantined_under_its_name() -> None:
    routes = (RouteSpec("mobile", "express", "priority > 6"),)
    derived = derive(flow(output(routes=routes)), legacy({"priority": 9}, {"priority": 1}))
    assert fates(derived) == [
        ("replayed", "live", None),
        ("quarantined", "no_output", "custody"),
    ]


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (output(when="CAST(status AS INTEGER) = 1"), "custody.when"),
        (
            output(routes=(RouteSpec("nfd", "bulk", "CAST(status AS INTEGER) = 1"),)),
            "custody.routes.nfd",
        ),
    ],
)
def test_a_condition_that_fails_on_a_row_quarantines_it_with_the_conditions_place(
    spec: object, place: str
) -> None:
    derived = derive(flow(spec), legacy({"status": "x"}, {"status": "1"}))  # type: ignore[arg-type]
    assert fates(derived) == [("quarantined", "mapping.error", place), ("replayed", "live", None)]


def test_routes_are_asked_only_where_their_output_applies() -> None:
    routes = (RouteSpec("nfd", "bulk", "CAST(status AS INTEGER) = 1"),)
    footwear = output(name="footwear", when="status <> 'x'", routes=routes)
    derived = derive(flow(output(), footwear), legacy({"status": "x"}))
    assert sent(derived) == [(0, "custody", [("custody", "express")])]


def test_acknowledged_endpoints_get_nothing_again() -> None:
    routes = (RouteSpec("gazetteer", "standard"), RouteSpec("mobile", "bulk"))
    spec = flow(output(routes=routes), endpoints={"GAZ": "gazetteer"})
    rows = legacy({"delivered_to": ["GAZ"]}, {"delivered_to": ["mobile", "elsewhere"]})
    assert sent(derive(spec, rows)) == [
        (0, "custody", [("mobile", "bulk")]),
        (1, "custody", [("gazetteer", "standard")]),
    ]


def test_an_output_delivered_everywhere_yields_nothing_and_the_others_do() -> None:
    spec = flow(output(routes=TO_CUSTODY), output(name="footwear", routes=TO_NFD))
    derived = derive(spec, legacy({"delivered_to": ["custody"]}))
    assert sent(derived) == [(0, "footwear", [("nfd", "bulk")])]
    assert fates(derived) == [("replayed", "live", None)]


def test_a_message_delivered_everywhere_is_archived() -> None:
    spec = flow(output(routes=TO_CUSTODY), output(name="footwear", routes=TO_NFD))
    derived = derive(spec, legacy({"delivered_to": ["nfd", "custody"], "body": b"<x"}))
    assert fates(derived) == [("archived", "already delivered", None)]
    assert derived.messages.column("body").to_pylist() == [b"<x"]
    assert sent(derived) == [(0, "archive", [("archive", "bulk")])]


def test_the_failure_of_one_output_quarantines_the_whole_message() -> None:
    broken = output(
        "SELECT position, CAST(status AS INTEGER) AS n FROM message", "footwear", routes=TO_NFD
    )
    derived = derive(flow(output(), broken), legacy({"status": "1"}, {"status": "x"}))
    assert fates(derived) == [
        ("replayed", "live", None),
        ("quarantined", "mapping.error", "footwear.n"),
    ]
    assert [each[:2] for each in sent(derived)] == [(0, "custody"), (0, "footwear")]


def test_a_subject_and_an_order_key_of_the_mapping_stand_in_the_envelope() -> None:
    sql = "SELECT position, status AS _subject, 'k' || status AS _order_key, 1 AS n FROM message"
    rows = legacy({"status": "a", "order_key": "old"}, {"status": None, "order_key": "old"})
    derived = derive(flow(output(sql)), rows)
    first, second = (
        {each["name"]: each["value"] for each in row}
        for row in derived.messages.column("attributes").to_pylist()
    )
    assert (first["ce_subject"], first["ce_orderkey"]) == ("a", "ka")
    assert "ce_subject" not in second
    assert "ce_orderkey" not in second
    assert derived.messages.column("order_key").to_pylist() == ["ka", None]
    assert derived.fates.column("order_key").to_pylist() == ["old", "old"]
    assert bodies(derived) == [{"n": 1}, {"n": 1}]


def test_messages_stand_in_the_order_of_rows_then_of_outputs_whatever_the_order_of_positions() -> (
    None
):
    spec = flow(
        output(),
        output(name="footwear"),
        fates=[FateRule("done", "status = 'D'", "archived"), FateRule("live", "true", "replayed")],
    )
    rows = legacy({"position": 9}, {"position": 4, "status": "D"}, {"position": 7})
    assert [each[:2] for each in sent(derive(spec, rows))] == [
        (9, "custody"),
        (9, "footwear"),
        (4, "archive"),
        (7, "custody"),
        (7, "footwear"),
    ]


def test_every_message_has_one_of_its_legacy_messages_possible_ids() -> None:
    spec = flow(
        output(),
        output(name="footwear"),
        fates=[FateRule("done", "status = 'D'", "archived"), FateRule("live", "true", "replayed")],
    )
    derived = derive(spec, legacy({}, {"status": "D"}))
    for message in derived.messages.to_pylist():
        possible = possible_message_ids("met.isb", spec, message["legacy_id"])
        assert (message["output"], message["message_id"]) in possible
    assert [name for name, _ in possible_message_ids("met.isb", spec, "x")] == [
        "custody",
        "footwear",
        "archive",
    ]
