"""Bodies are compact JSON in UTF-8, the same as a naive writer's, whatever the text."""

import json
from datetime import date
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from migrate.transform.body import LARGEST, bodies, forbidden
from tests.transform.build import derive, flow, legacy, output

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
SCALARS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.large_string(), TEXT),
    (pa.bool_(), st.booleans()),
    (pa.int64(), st.integers(-LARGEST, LARGEST)),
    (pa.date32(), st.dates()),
]


@st.composite
def typed(draw: st.DrawFn, depth: int = 2) -> tuple[pa.DataType, st.SearchStrategy[Any]]:
    """An Arrow type that a body may hold, and values of it, nulls among them."""
    shape = draw(st.sampled_from(["scalar", "list", "struct"] if depth else ["scalar"]))
    if shape == "scalar":
        kind, values = draw(st.sampled_from(SCALARS))
    elif shape == "list":
        inner, elements = draw(typed(depth - 1))
        kind, values = pa.large_list(inner), st.lists(elements, max_size=3)
    else:
        names = draw(st.lists(TEXT.filter(bool), min_size=1, max_size=3, unique=True))
        members = {name: draw(typed(depth - 1)) for name in names}
        kind = pa.struct([(name, member) for name, (member, _) in members.items()])
        values = st.fixed_dictionaries({name: each for name, (_, each) in members.items()})
    return kind, st.one_of(st.none(), values)


def naive(value: Any, keep_null: bool) -> Any:
    if isinstance(value, dict):
        return {
            name: naive(each, keep_null)
            for name, each in value.items()
            if keep_null or each is not None
        }
    if isinstance(value, list):
        return [naive(each, keep_null) for each in value]
    return value.isoformat() if isinstance(value, date) else value


@given(st.data(), st.booleans())
def test_a_body_is_what_json_dumps_would_write(data: st.DataObject, keep_null: bool) -> None:
    columns, rows = {}, data.draw(st.integers(0, 4))
    plain: dict[str, list[Any]] = {}
    for name in data.draw(st.lists(TEXT.filter(bool), min_size=1, max_size=3, unique=True)):
        kind, values = data.draw(typed())
        columns[name] = pa.array(data.draw(st.lists(values, min_size=rows, max_size=rows)), kind)
        plain[name] = columns[name].to_pylist()  # members in the order of the type
    expected = [
        json.dumps(
            naive({name: values[row] for name, values in plain.items()}, keep_null),
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        for row in range(rows)
    ]
    assert bodies(columns, keep_null=keep_null) == expected


@given(st.lists(st.lists(st.one_of(st.none(), st.integers(-(2**60), 2**60))), max_size=5))
def test_forbidden_integers_are_found_wherever_they_stand(rows: list[list[int | None]]) -> None:
    bad = [any(n is not None and abs(n) > LARGEST for n in row) for row in rows]
    column = pa.array(rows, pa.list_(pa.int64()))
    assert forbidden(column).to_pylist() == bad
    assert forbidden(pa.StructArray.from_arrays([column], ["a"])).to_pylist() == bad


def test_nul_and_control_characters_survive_the_engine() -> None:
    text = "".join(chr(code) for code in range(32)) + "\x7f\u2028\ufeff\U0001f6a8"
    sql = (
        "SELECT position, status AS s, [status] AS l, {'m': status} AS o, "
        "status || 'x' AS c FROM message"
    )
    derived = derive(flow(output(sql)), legacy({"status": text}))
    (body,) = derived.messages.column("body").to_pylist()
    assert json.loads(body) == {"s": text, "l": [text], "o": {"m": text}, "c": text + "x"}
    assert "\u2028\ufeff\U0001f6a8".encode() in body


def test_null_members_are_left_out_at_every_level_unless_they_are_kept() -> None:
    sql = (
        "SELECT position, status AS a, {'b': status, 'c': {'d': status, 'e': 1}} AS o, "
        "[status, 'x'] AS l FROM message"
    )
    (short,) = derive(flow(output(sql)), legacy({})).messages.column("body").to_pylist()
    (long,) = (
        derive(flow(output(sql, keep_null=True)), legacy({})).messages.column("body").to_pylist()
    )
    assert short == b'{"o":{"c":{"e":1}},"l":[null,"x"]}'
    assert long == b'{"a":null,"o":{"b":null,"c":{"d":null,"e":1}},"l":[null,"x"]}'
