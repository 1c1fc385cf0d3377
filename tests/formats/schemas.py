"""Schemas in twos, and documents that try to fall between them."""

from typing import Any

from hypothesis import strategies as st

NAMES = st.sampled_from("abc")
TEXTS = st.sampled_from(("", "a", "0", "aa", "00", "b1", "abc", "000", "2018-05-01"))
WHOLE = st.integers(-3, 3)
NUMBERS = st.one_of(WHOLE, st.sampled_from((0.5, -0.5, 1.5, 2.5)))
LENGTHS = st.integers(0, 3)

_REFS = st.sampled_from(({"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/loop"}))
_VALUES = st.one_of(st.none(), st.booleans(), WHOLE, NUMBERS, TEXTS, st.just([]), st.just({"a": 1}))
_TYPES = st.sampled_from(("null", "boolean", "integer", "number", "string", "array", "object"))


def _some(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


_LEAVES = st.one_of(
    st.booleans(),
    _REFS,
    _some(type=_TYPES),
    _some(type=st.lists(_TYPES, min_size=1, max_size=3, unique=True)),
    _some(enum=st.lists(_VALUES, min_size=1, max_size=4, unique_by=repr)),
    _some(const=_VALUES, type=_TYPES),
    _some(
        type=st.just("string"),
        minLength=LENGTHS,
        maxLength=LENGTHS,
        pattern=st.sampled_from(("^[0-9]*$", "a", "^.{2}$")),
        format=st.just("date"),
    ),
    _some(
        type=st.sampled_from(("integer", "number", ["integer", "string"])),
        minimum=NUMBERS,
        maximum=NUMBERS,
        exclusiveMinimum=NUMBERS,
        exclusiveMaximum=NUMBERS,
        multipleOf=st.sampled_from((1, 2, 0.5, 1.5)),
    ),
)


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(NAMES, inner, max_size=3)
    lists = st.lists(inner, min_size=1, max_size=2)
    names = st.lists(NAMES, max_size=2, unique=True)
    plain_object = _some(
        type=st.just("object"), properties=named, required=names, additionalProperties=inner
    )
    return st.one_of(
        plain_object,
        plain_object,
        _some(
            properties=named,
            required=names,
            additionalProperties=inner,
            patternProperties=st.dictionaries(st.sampled_from(("^a", "b")), inner, max_size=1),
            minProperties=LENGTHS,
            maxProperties=LENGTHS,
            propertyNames=_some(maxLength=LENGTHS),
            dependentRequired=st.dictionaries(NAMES, names, max_size=1),
            unevaluatedProperties=st.booleans(),
        ),
        _some(
            type=st.just("array"),
            items=inner,
            prefixItems=lists,
            minItems=LENGTHS,
            maxItems=LENGTHS,
            uniqueItems=st.booleans(),
        ),
        _some(items=inner, contains=inner, minContains=LENGTHS, unevaluatedItems=inner),
        _some(allOf=lists, properties=named, type=_TYPES),
        _some(anyOf=lists, required=names, minimum=WHOLE),
        _some(oneOf=lists, minLength=LENGTHS),
        st.builds(lambda each: {"not": each}, inner),
        st.builds(lambda one, two, three: {"if": one, "then": two, "else": three}, *[inner] * 3),
        st.builds(lambda node: {**node, "$ref": "#/$defs/leaf"}, plain_object),
    )


NODES = st.recursive(_LEAVES, _larger, max_leaves=6)


def _whole(node: Any, leaf: Any, loop: Any) -> Any:
    root = node if isinstance(node, dict) else {"allOf": [node]}
    inner = {"type": "object", "properties": {"a": {"$ref": "#/$defs/loop"}, "b": loop}}
    return {**root, "$defs": {"leaf": leaf, "loop": inner}}


_UNREFERRED = _LEAVES.filter(lambda node: "$ref" not in str(node))
SCHEMAS = st.builds(_whole, NODES, _UNREFERRED, _UNREFERRED)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas; mostly the second is the first with one thing changed."""
    first = draw(SCHEMAS)
    if draw(st.integers(0, 3)) == 0:
        return first, draw(SCHEMAS)
    changed = _changed(draw, first)
    if draw(st.integers(0, 3)) == 0:
        changed = {**first, "$defs": {**first["$defs"], "leaf": draw(_UNREFERRED)}}
    return (first, changed) if draw(st.booleans()) else (changed, first)


def _changed(draw: st.DrawFn, node: Any) -> Any:
    if not isinstance(node, dict) or not node:
        return draw(NODES)
    other = draw(NODES)
    options = [key for key in node if key != "$defs"]
    if not options:
        return {**node, **(other if isinstance(other, dict) else {})}
    key = draw(st.sampled_from(options))
    action = draw(st.integers(0, 3))
    if action == 0:
        return {name: value for name, value in node.items() if name != key}
    if action == 1 and isinstance(other, dict):
        return {**node, **other}
    if key == "properties" and node[key]:
        name = draw(st.sampled_from(sorted(node[key])))
        return {**node, key: {**node[key], name: _changed(draw, node[key][name])}}
    if key in ("items", "additionalProperties", "not", "contains"):
        return {**node, key: _changed(draw, node[key])}
    if key in ("allOf", "anyOf", "oneOf", "prefixItems"):
        return {**node, key: [_changed(draw, node[key][0]), *node[key][1:]]}
    if key in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
        return {**node, key: draw(LENGTHS)}
    if key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return {**node, key: draw(NUMBERS)}
    return {**node, **(other if isinstance(other, dict) else {})}


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(("a", "b", "c", "ab", "other")), inner, max_size=3),
    ),
    max_leaves=8,
)


@st.composite
def fitting(draw: st.DrawFn, node: Any, depth: int = 0) -> Any:
    """A document that has a good chance to be valid under a schema, and to be odd."""
    if not isinstance(node, dict) or depth > 4 or draw(st.integers(0, 7)) == 0:
        return draw(ANYTHING)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return draw(st.sampled_from(node["enum"]))
    for key in ("anyOf", "oneOf", "allOf"):
        if key in node and draw(st.booleans()):
            return draw(fitting(draw(st.sampled_from(node[key])), depth + 1))
    kind = node.get("type", "object" if "properties" in node or "required" in node else None)
    if isinstance(kind, list):
        kind = draw(st.sampled_from(kind))
    if kind == "object":
        wanted = {*node.get("required", ())} | draw(st.sets(st.sampled_from(("a", "b", "c", "ab"))))
        unnamed = node.get("additionalProperties", True)
        inner = {name: node.get("properties", {}).get(name, unnamed) for name in sorted(wanted)}
        return {
            name: draw(fitting(each, depth + 1))
            for name, each in inner.items()
            if each is not False
        }
    if kind == "array" or "items" in node:
        length = draw(st.integers(node.get("minItems", 0), node.get("minItems", 0) + 2))
        prefix = node.get("prefixItems", ())
        return [
            draw(fitting(prefix[at] if at < len(prefix) else node.get("items", True), depth + 1))
            for at in range(length)
        ]
    plain = {"string": TEXTS, "integer": WHOLE, "number": NUMBERS, "boolean": st.booleans()}
    return None if kind == "null" else draw(plain.get(str(kind), ANYTHING))
