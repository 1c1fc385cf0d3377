"""Checks of payload fields and of the selectors that find them."""

import re
from collections.abc import Callable, Iterator

from lxml import etree

from migrate.plan.explain import did_you_mean
from migrate.plan.flow_model import FieldModel, PayloadModel
from migrate.plan.problem import Problem, wrong

_SPAN = re.compile(r"(\d+):(\d+)")


def selector_problems(where: str, payload: PayloadModel) -> Iterator[Problem]:
    """Everything wrong with a flow's payload section, short of a body to try it on."""
    if payload.fields and payload.format == "opaque":
        yield wrong(
            f"{where}.format", "is missing: an opaque body has no fields", 'such as format = "xml"'
        )
    if payload.ns and payload.format != "xml":
        yield wrong(f"{where}.ns", f"means nothing to format {payload.format}", "it is for xml")
    if "" in payload.ns:
        yield wrong(
            f'{where}.ns.""', "XPath knows no default namespace", "give it a prefix and use it"
        )
    yield from _fields(where, payload)
    for column, field in payload.overlay.items():
        if field not in payload.fields:
            yield wrong(
                f"{where}.overlay.{column}",
                f'there is no field "{field}"',
                did_you_mean(field, payload.fields),
            )


def _fields(where: str, payload: PayloadModel) -> Iterator[Problem]:
    check = _SELECTORS.get(payload.format)
    seen: dict[str, str] = {}
    for name, field in payload.fields.items():
        place = f"{where}.fields.{name}"
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield wrong(place, f'differs from "{first}" by case only, which SQL does not see')
        if field.many and payload.format not in ("xml", "json"):
            yield wrong(f"{place}.many", f"means nothing to format {payload.format}")
        if check is not None:
            yield from check(place, field, payload)


def _xpath(place: str, field: FieldModel, payload: PayloadModel) -> Iterator[Problem]:
    prefixes = {prefix: uri for prefix, uri in payload.ns.items() if prefix}
    try:
        path = etree.XPath(field.select, namespaces=prefixes)
        path(etree.Element("nothing"))
    except etree.XPathSyntaxError:
        yield wrong(place, "is no XPath", "such as /c:rec/c:no or /c:rec/@ver")
    except etree.XPathEvalError as error:
        yield wrong(place, *_xpath_failure(str(error), prefixes))


def _xpath_failure(text: str, prefixes: dict[str, str]) -> tuple[str, str]:
    if "prefix" in text.lower():
        known = f"declared: {', '.join(sorted(prefixes))}" if prefixes else "none is declared"
        return "uses a namespace prefix that `ns` does not declare", known
    return "cannot be evaluated", "a path, without functions of XSLT or XPath 2"


def _pointer(place: str, field: FieldModel, payload: PayloadModel) -> Iterator[Problem]:
    if field.select and not field.select.startswith("/"):
        dots = field.select.removeprefix("$").strip(".").replace(".", "/")
        yield wrong(place, "is no JSON pointer", f'it starts with a slash: "/{dots}"')


def _span(place: str, field: FieldModel, payload: PayloadModel) -> Iterator[Problem]:
    match = _SPAN.fullmatch(field.select)
    if match is None or int(match[1]) >= int(match[2]):
        yield wrong(place, "is no span", '"start:end" in characters from 0, such as "0:8"')


def _column(place: str, field: FieldModel, payload: PayloadModel) -> Iterator[Problem]:
    if not field.select:
        yield wrong(place, "names no column")


_SELECTORS: dict[str, Callable[[str, FieldModel, PayloadModel], Iterator[Problem]]] = {
    "xml": _xpath,
    "json": _pointer,
    "fixed": _span,
    "csv": _column,
    "row": _column,
}
