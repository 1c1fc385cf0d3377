"""Walking the plan's model by key path: which keys may stand where."""

import json
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from migrate.plan.model import PlanModel

Part = str | int


def key_path(parts: Sequence[Part]) -> str:
    """`flow.custody.output[1].map`; parts that are no bare TOML keys are quoted."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + _key(part)
    return text


def _key(part: str) -> str:
    bare = part != "" and all(c.isascii() and (c.isalnum() or c in "-_") for c in part)
    return part if bare else json.dumps(part, ensure_ascii=False).replace("\x7f", "\\u007f")


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A section's keys as written in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def section_at(parts: Sequence[Part]) -> type[BaseModel] | None:
    """The section a key path leads to; None where it leads to a value or nowhere."""
    here: Any = PlanModel
    for part in parts:
        here = _step(here, part)
        if here is None:
            return None
    return here if _is_section(here) else None


def field_at(parts: Sequence[Part]) -> FieldInfo | None:
    """The declaration of the key a path leads to; None inside tables of free names."""
    section = section_at(parts[:-1])
    return keys_of(section).get(str(parts[-1])) if section else None


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section with its heading, `[flow.NAME]`, `[[flow.NAME.output]]`, in file order."""
    yield from _sections("", PlanModel)


def _sections(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for key, field in keys_of(model).items():
        shape, inner = _shape(field.annotation)
        if inner is None:
            continue
        path = f"{prefix}{key}.NAME" if shape == "dict" else f"{prefix}{key}"
        yield (f"[[{path}]]" if shape == "list" else f"[{path}]"), inner
        yield from _sections(f"{path}.", inner)


def _shape(annotation: Any) -> tuple[str, type[BaseModel] | None]:
    plain = _bare(annotation)
    if _is_section(plain):
        return "table", plain
    origin, arguments = get_origin(plain), get_args(plain)
    if origin in (dict, list):
        inner = _bare(arguments[-1])
        return origin.__name__, inner if _is_section(inner) else None
    return "value", None


def _step(here: Any, part: Part) -> Any:
    if _is_section(here):
        field = keys_of(here).get(str(part))
        return None if field is None else _bare(field.annotation)
    if get_origin(here) in (dict, list):
        return _bare(get_args(here)[-1])
    return None


def _bare(annotation: Any) -> Any:
    """An annotation without Annotated and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            (annotation,) = (one for one in get_args(annotation) if one is not NoneType)
        else:
            return annotation


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
