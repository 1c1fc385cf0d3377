"""Checks of payload fields; each selector is compiled by the reader that will use it."""

from collections.abc import Iterator

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.plan.explain import did_you_mean
from migrate.plan.problem import Problem, wrong
from migrate.plan.record_model import FieldModel, PayloadModel
from migrate.transform.payload import PAYLOADS, payload_reader


def selector_problems(where: str, payload: PayloadModel) -> Iterator[Problem]:
    """Everything wrong with a flow's payload section, short of a body to try it on."""
    if payload.ns and payload.format != "xml":
        yield wrong(f"{where}.ns", f"means nothing to format {payload.format}", "it is for xml")
    if "" in payload.ns:
        yield wrong(
            f'{where}.ns.""', "XPath knows no default namespace", "give it a prefix and use it"
        )
    yield from _format(where, payload)
    yield from _fields(where, payload)
    for column, field in payload.overlay.items():
        if field not in payload.fields:
            yield wrong(
                f"{where}.overlay.{column}",
                f'there is no field "{field}"',
                did_you_mean(field, payload.fields),
            )


def _format(where: str, payload: PayloadModel) -> Iterator[Problem]:
    if payload.format not in PAYLOADS:
        yield wrong(
            f"{where}.format",
            f'there is no payload format "{payload.format}"',
            did_you_mean(payload.format, PAYLOADS),
        )
    elif payload.fields and payload.format == "opaque":
        yield wrong(
            f"{where}.format", "is missing: an opaque body has no fields", 'such as format = "xml"'
        )
    else:
        spec = PayloadSpec(payload.format, max_depth=payload.max_depth)
        problem = _refusal(spec)
        if problem is not None:
            yield wrong(f"{where}.{problem.key}".rstrip("."), problem.problem, problem.hint)


def _fields(where: str, payload: PayloadModel) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, field in payload.fields.items():
        place = f"{where}.fields.{name}"
        first = seen.setdefault(name.lower(), name)
        if first != name:
            yield wrong(place, f'differs from "{first}" by case only, which SQL does not see')
        if payload.format in PAYLOADS and payload.format != "opaque":
            yield from _selector(place, name, field, payload)


def _selector(place: str, name: str, field: FieldModel, payload: PayloadModel) -> Iterator[Problem]:
    if not field.select.strip() and payload.format != "json":
        yield wrong(place, "selects nothing: the selector is empty")
        return
    spec = PayloadSpec(
        payload.format,
        fields=(FieldSpec(name, field.select, field.required, field.many),),
        namespaces=tuple((prefix, uri) for prefix, uri in payload.ns.items() if prefix),
    )
    problem = _refusal(spec)
    if problem is not None:
        yield wrong(place, problem.problem, _remedy(field, payload) or problem.hint)


def _refusal(spec: PayloadSpec) -> PlanError | None:
    try:
        payload_reader(spec)
    except PlanError as error:
        return error
    return None


def _remedy(field: FieldModel, payload: PayloadModel) -> str | None:
    """What was probably meant, where that can be told."""
    if payload.format == "json" and not field.select.startswith("/"):
        path = field.select.removeprefix("$").strip(".").replace(".", "/")
        return f'it starts with a slash: "/{path}"'
    if payload.format == "xml" and ":" in field.select:
        declared = ", ".join(sorted(prefix for prefix in payload.ns if prefix)) or "none"
        return f"prefixes declared in `ns`: {declared}"
    return None
