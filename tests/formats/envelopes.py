"""Envelopes and bodies of every odd kind, and what the bindings have in common."""

import json
import string
from types import ModuleType

from hypothesis import strategies as st

from migrate.formats.bindings import amqp, kafka, nats, sql

BINDINGS: dict[str, ModuleType] = {"amqp": amqp, "nats": nats, "kafka": kafka, "sql": sql}
MODES = ("binary", "structured")

ODD = (
    "a\r\nNats-Rollup: all",
    "\r\n\r\nbody",
    " leading and trailing ",
    "%41%zz",
    '"quoted"',
    "\\",
    "",
    "\x00\x1f\x7f\x85\u2028\ufeff\uffff",
    "é€😀",
    "application/cloudevents+json",
    "APPLICATION/CloudEvents; charset=utf-8",
    "application/json; charset=utf-16",
    "x" * 300,
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])), st.text(max_size=4), st.sampled_from(ODD)
).filter(lambda text: text.encode(errors="ignore").decode() == text)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,19}", fullmatch=True).filter(
    lambda name: name not in ("data", "datacontenttype")
)
CONTENT_TYPES = st.one_of(
    st.sampled_from(("application/json", "application/xml", "text/json", "application/x+json")),
    TEXTS,
)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
JSON_BODIES = st.builds(
    lambda value, ascii_, indent, separators: json.dumps(
        value, ensure_ascii=ascii_, indent=indent, separators=separators
    ).encode(),
    DOCUMENTS,
    st.booleans(),
    st.sampled_from((None, 1)),
    st.sampled_from(((",", ":"), (", ", ": "))),
)
REWRITTEN = tuple(
    text.encode()
    for text in (
        "1.10",
        "1.5",
        "-0",
        "1e400",
        "12345678901234567890",
        "9007199254740993",
        "-9007199254740993",
        "NaN",
        '{"a":1,"a":2}',
        '{"a": 1}',
        '"\\ud800"',
        '"\\u0041"',
        "[" * 3000,
        "9" * 5000,
        " null",
        "null",
        "",
    )
)
"""Bodies of which some reader of JSON would make others, or nothing."""
KEPT = tuple(text.encode() for text in ("9007199254740992", "-9007199254740992", "[null]", '"é"'))
BODIES = st.one_of(JSON_BODIES, st.binary(), st.sampled_from((*REWRITTEN, *KEPT)))
ENVELOPES = st.builds(
    lambda values, content_type: {
        **{f"ce_{name}": value for name, value in sorted(values.items())},
        **({} if content_type is None else {"content-type": content_type}),
    },
    st.dictionaries(st.one_of(NAMES, st.sampled_from(string.ascii_lowercase)), TEXTS, max_size=6),
    st.one_of(st.none(), CONTENT_TYPES),
)
