"""Writing TOML: values, keys and comments, in which nothing of a name can act or break out."""

import re
from collections.abc import Mapping, Sequence

Value = str | bool | int | Sequence[str] | Mapping[str, "Value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 96
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def value(given: Value) -> str:
    """A value; lists and tables stay on one line."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int):
        return str(given)
    if isinstance(given, str):
        return text(given)
    if isinstance(given, Mapping):
        inside = ", ".join(f"{key(name)} = {value(each)}" for name, each in given.items())
        return f"{{ {inside} }}" if inside else "{}"
    return f"[{', '.join(value(each) for each in given)}]"


def text(given: str) -> str:
    """A basic string."""
    return f'"{"".join(map(_letter, given))}"'


def key(name: str) -> str:
    """A key, quoted where it has to be."""
    return name if _BARE.fullmatch(name) else text(name)


def pair(name: str, given: Value, remark: str | None = None) -> str:
    """`key = value`, with a comment behind it; a long list one to a line."""
    line = f"{key(name)} = {value(given)}"
    if len(line) > _WIDTH and isinstance(given, Sequence) and not isinstance(given, str):
        listed = "".join(f"  {value(each)},\n" for each in given)
        line = f"{key(name)} = [\n{listed}]"
    return f"{line} {comment(remark)}" if remark else line


def comment(given: str) -> str:
    """A comment of one line."""
    return f"# {''.join(c if c.isprintable() else ' ' for c in given)}"


def _letter(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    return letter if letter.isprintable() else f"\\U{ord(letter):08X}"
