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

_ELSEWHERE = {
    "user": "write the account into `url`, its password as ${NAME}",
    "username": "write the account into `url`, its password as ${NAME}",
    "password": "write it into `url` as ${NAME} or ${file:PATH}, never as text",
    "host": "write it into `url`",
    "port": "write it into `url`",
    "path": "a root folder or file goes into `url`",
    "table": "the table or glob is called `from`",
    "filter": "the predicate is called `where`",
    "mapping": "the mapping file is called `map`",
    "destination": "the off-ramp of a route is called `to`",
    "offramp": "the off-ramp of a route is called `to`",
    "priority": "lanes are chosen by `lane`; columns are mapped in `columns`",
    "timezone": "the time zone stands once, in [plan]",
    "xpath": "the place of a field is called `select`",
    "pointer": "the place of a field is called `select`",
    "namespaces": "the prefixes are called `ns`",
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
    """Every problem of a plan that does not fit the model, in file order of the model."""
    return [_explain(detail) for detail in error.errors(include_url=False)]


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
    parts = [part for part in detail["loc"] if part != "[key]"]
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


def _unknown(parts: Sequence[Part]) -> str | None:
    """Where an unknown key belongs: another section, another spelling, or nowhere."""
    word = str(parts[-1])
    section = section_at(parts[:-1])
    own = keys_of(section) if section else {}
    near = difflib.get_close_matches(word.lower(), own, n=1, cutoff=0.75)
    if near:
        return f'did you mean "{near[0]}"?'
    homes = [heading for heading, model in sections() if word in keys_of(model)]
    if len(parts) > 1 and homes:
        return (
            f"`{word}` belongs to {' or '.join(homes[:3])}; "
            "in TOML a key belongs to the last [table] above it"
        )
    return _ELSEWHERE.get(word.lower()) or did_you_mean(word, own)


def _meaning(parts: Sequence[Part]) -> str | None:
    field = field_at(parts)
    if field is None or field.description is None:
        return None
    example = f", such as {_toml(field.examples[0])}" if field.examples else ""
    sentence = field.description.split(". ")[0].rstrip(".").replace("\n", " ")
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
            return f"must be {words} {context[name]}"
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


def _toml(value: Any) -> str:
    """An example as one would type it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace("\t", "\\t").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}"
    return str(value)
