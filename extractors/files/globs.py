"""Globs: which files below a folder are meant.

`*`, `?` and `[a-z]` stay within a folder's name, `**` as a whole step stands for any
number of folders, none among them. Names are matched letter for letter,
hidden ones too. A glob becomes a regular expression that Python and
`find -regextype posix-extended -regex` read alike, so that an auditor can list the same files.
"""

import re
from functools import cache

_SPECIAL = frozenset(".[]{}()*+?^$|\\")


def expression(glob: str) -> str:
    """The regular expression of a glob. ValueError, saying why, for what is none."""
    parts = glob.split("/")
    if not glob or "\\" in glob:
        raise ValueError("a glob is a path below the root, with / between folders")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("a glob stays below the root: no leading /, no empty step, no . or ..")
    folders = "".join("(.*/)?" if part == "**" else f"{_step(part)}/" for part in parts[:-1])
    return folders + (".*" if parts[-1] == "**" else _step(parts[-1]))


def matches(glob: str, path: str) -> bool:
    """Whether a path below the root, with / between folders, is meant by a glob."""
    return _compiled(glob).fullmatch(path) is not None


def fixed_folder(glob: str) -> str:
    """The folder that every file of the glob is in, or "" for the root."""
    plain: list[str] = []
    for part in glob.split("/")[:-1]:
        if set(part) & set("*?["):
            break
        plain.append(part)
    return "/".join(plain)


def escaped(text: str) -> str:
    """A text as a regular expression that matches it alone."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)


@cache
def _compiled(glob: str) -> re.Pattern[str]:
    # POSIX has no escapes in a set; Python warns of a set that begins with a bracket.
    return re.compile(expression(glob).replace("[[]", r"\["), re.DOTALL)


def _step(part: str) -> str:
    written: list[str] = []
    at = 0
    while at < len(part):
        letter = part[at]
        closing = part.find("]", at + 2) if letter == "[" else -1
        if closing > 0:
            written.append(_letters(part[at + 1 : closing]))
            at = closing + 1
            continue
        written.append({"*": "[^/]*", "?": "[^/]"}.get(letter) or escaped(letter))
        at += 1
    return "".join(written)


def _letters(inside: str) -> str:
    """`[a-z]` or `[!a-z]`, the latter never a slash."""
    negated = inside.startswith(("!", "^"))
    safe = inside.removeprefix("!").removeprefix("^") if negated else inside
    return f"[^{safe}/]" if negated else f"[{safe}]"
