"""What is wrong with a plan file, in the words of somebody who has to mend it.

Pydantic's errors name a location and a type of error; here they become a key
path, a sentence and a remedy. No value of the file is repeated, except a
misspelt word out of a fixed list.
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from migrate.plan.problem import Problem, wrong
from migrate.plan.walk import Part, field_at, key_path, keys_of, section_at, sections
from migrate.plan.words import RULE_BROKEN

_RENAMED = {
    "table": "from",
    "glob": "from",
    "file": "path",
    "type": "kind",
    "address": "url",
    "adress": "url",
    "connection": "url",
    "dsn": "url",
    "filter": "where",
    "primary_key": "key",
    "mapping": "map",
    "destination": "to",
    "xpath": "select",
    "pointer": "select",
    "mandatory": "required",
    "multiple": "many",
    "namespaces": "ns",
    "on_quarantine": "after_quarantine",
}
"""What other tools call a key, and what it is called here."""

_ELSEWHERE = {
    "user": "write the account into `url`, its password as ${NAME}",
    "username": "write the account into `url`, its password as ${NAME}",
    "password": "write it into `url` as ${NAME} or ${file:PATH}, never as text",
    "host": "write it into `url`",
    "port": "write it into `url`",
    "path": "a root folder or file goes into `url`",
    "priority": "lanes are chosen by `lane`; columns are mapped in `columns`",
}

_KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number without quotes",
    "float_type": "a number without quotes",
    "bool_type": "true or false without quotes",
    "list_type": "an array [ … ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def explain(error: ValidationError) -> list[Problem]:
    """Every problem of a plan that does not fit the model, in file order of the model.

    A missing key is not mentioned where a misspelt one is: it is the same slip.
    """
    details = error.errors(include_url=False)
    unknown = [_parts(one) for one in details if one["type"] == "extra_forbidden"]
    misspelt = {(*parts[:-1], _meant(parts)) for parts in unknown}
    return [
        _explain(detail)
        for detail in details
        if detail["type"] != "missing" or tuple(_parts(detail)) not in misspelt
    ]


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean "custody"?`, or the whole list where nothing is near; None without a list."""
    choices = sorted(known)
    if not choices:
        return None
    lower = {choice.lower(): choice for choice in choices}
    near = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f'did you mean "{lower[near[0]]}"?' if near else f"known: {', '.join(choices)}"


def _explain(detail: ErrorDetails) -> Problem:
    kind, context = detail["type"], detail.get("ctx", {})
    parts = _parts(detail)
    where = key_path(parts)
    if kind == RULE_BROKEN:
        return wrong(where, context["message"], context["hint"])
    if kind == "extra_forbidden":
        return wrong(where, "there is no such key", _unknown(parts))
    if kind == "missing":
        return wrong(where, "is missing", _meaning(parts))
    if kind == "literal_error":
        return _misspelt(where, parts, detail["input"], context["expected"])
    if kind in _KINDS:
        return _wrong_kind(where, parts, kind, detail["input"])
    return wrong(where, _sentence(detail), _meaning(parts))


def _parts(detail: ErrorDetails) -> list[Part]:
    return [part for part in detail["loc"] if part != "[key]"]


def _unknown(parts: Sequence[Part]) -> str | None:
    """Where an unknown key belongs: another spelling, another section, or nowhere."""
    meant = _meant(parts)
    if meant:
        return f'did you mean "{meant}"?'
    word = str(parts[-1])
    homes = _homes(parts) if len(parts) > 1 else []
    if homes:
        return (
            f"`{word}` belongs to {' or '.join(homes)}; "
            "in TOML a key belongs to the last [table] above it"
        )
    return _ELSEWHERE.get(word.lower()) or did_you_mean(word, _own_keys(parts))


def _meant(parts: Sequence[Part]) -> str | None:
    """The key of the same section that an unknown one probably stands for."""
    word, own = str(parts[-1]).lower(), _own_keys(parts)
    renamed = _RENAMED.get(word)
    if renamed in own:
        return renamed
    near = difflib.get_close_matches(word, own, n=1, cutoff=0.75)
    return near[0] if near else None


def _own_keys(parts: Sequence[Part]) -> list[str]:
    section = section_at(parts[:-1])
    return list(keys_of(section)) if section else []


def _homes(parts: Sequence[Part]) -> list[str]:
    """The sections that have this key: those above it, or else a few others."""
    word = str(parts[-1])
    names = [part for part in parts[:-1] if isinstance(part, str)]
    homes = [heading for heading, model in sections() if word in keys_of(model)]
    above = [heading for heading in homes if _is_above(heading.strip("[]").split("."), names)]
    return above[-1:] or homes[:3]


def _is_above(heading: Sequence[str], names: Sequence[str]) -> bool:
    pairs = zip(heading, names, strict=False)
    return len(heading) <= len(names) and all(one in ("NAME", name) for one, name in pairs)


def _meaning(parts: Sequence[Part]) -> str | None:
    field = field_at(parts)
    if field is None or field.description is None:
        return None
    sentence = field.description.split(". ")[0].rstrip(".").replace("\n", " ")
    if len(parts) == 1:
        heading = next(one for one, _ in sections() if one.strip("[]").split(".")[0] == parts[0])
        return f"{sentence}: {heading}"
    example = f", such as {as_toml(field.examples[0])}" if field.examples else ""
    return f"{sentence}{example}"


def _misspelt(where: str, parts: Sequence[Part], given: Any, expected: str) -> Problem:
    choices = [choice.strip("'") for choice in expected.replace(" or ", ", ").split(", ")]
    if not isinstance(given, str):
        return wrong(where, f"must be text in quotes, is {_kind_of(given)}", _known(choices))
    if parts and parts[-1] == given:
        return wrong(where, "there is no such key", did_you_mean(given, choices))
    return wrong(where, f'"{given}" is none of the choices', did_you_mean(given, choices))


def _known(choices: Sequence[str]) -> str:
    return f"known: {', '.join(sorted(choices))}"


def _wrong_kind(where: str, parts: Sequence[Part], kind: str, given: Any) -> Problem:
    message = f"must be {_KINDS[kind]}, is {_kind_of(given)}"
    return wrong(where, message, _remedy(parts, kind, given) or _meaning(parts))


def _remedy(parts: Sequence[Part], kind: str, given: Any) -> str | None:
    """What to type instead, for the slips that TOML invites."""
    path = key_path([part for part in parts if isinstance(part, str)])
    if kind == "list_type" and isinstance(given, dict):
        return f"write [[{path}]] with double brackets"
    if kind in ("model_type", "dict_type") and isinstance(given, list):
        return f"write [{path}] with single brackets"
    if kind == "list_type" and isinstance(given, str):
        return "put it in brackets: [ … ]"
    if kind == "string_type" and isinstance(given, date | time | datetime):
        return "put the date in quotes"
    if kind == "string_type" and isinstance(given, list):
        return "a single text, without brackets"
    return None


def _sentence(detail: ErrorDetails) -> str:
    """Pydantic's own sentence, for the rest; it holds limits, never the value."""
    context = detail.get("ctx", {})
    if detail["type"] == "too_short":
        return "is empty"
    for name, words in (("ge", "at least"), ("gt", "more than"), ("le", "at most")):
        if name in context:
            return f"must be {words} {context[name]:g}"
    return detail["msg"].removeprefix("Value error, ")


def _kind_of(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "an array",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")


def as_toml(value: Any) -> str:
    """An example as one would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace("\t", "\\t").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return f"[{', '.join(as_toml(one) for one in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}"
    return str(value)
