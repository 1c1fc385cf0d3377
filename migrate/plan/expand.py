"""From what a plan writes to what a driver is given: references, secrets, relative paths.

`${NAME}` is an environment variable, `${PLAN_DIR}` the plan's folder, `${file:PATH}`
the text of a file below it; a whole value `file:PATH` reads it from a file.
They stand in `url` and `options` only: everything else is part of the plan's
digest and must mean the same wherever the run is derived again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractors import STORES
from migrate.core.redact_url import is_secret_name, url_secrets
from migrate.plan.problem import Problem, wrong
from migrate.plan.walk import Part, key_path

PLAN_DIR = "PLAN_DIR"
_REFERENCE = re.compile(r"\$\{([^{}]*)\}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_BRACES = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_UNENCODED = re.compile(r"[@/?#&\s]|%(?![0-9A-Fa-f]{2})")
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:|\?|$)(.*)", re.DOTALL)
_INSTEAD = "write ${NAME} for an environment variable or ${file:PATH} for a file"


class Unresolved(Exception):
    """A reference that cannot be resolved; `message` names it, never its value.

    `absent`: it is well written, but there is nothing behind it here and now.
    """

    def __init__(self, message: str, hint: str | None = None, *, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Expander:
    """Resolves the references of one plan against its folder and an environment."""

    folder: Path
    environ: Mapping[str, str]

    def expand(self, text: str) -> str:
        """The value with every reference resolved. Raises Unresolved."""
        if text.startswith("file:") and not text.startswith("file://"):
            return self._file(text.removeprefix("file:"))
        _well_formed(text)
        secrets = "".join(url_secrets(text))
        return _REFERENCE.sub(lambda m: self._insert(m[1], m[0] in secrets), text)

    def _insert(self, name: str, in_secret: bool) -> str:
        value = self._resolve(name)
        if in_secret and _UNENCODED.search(value):
            raise Unresolved(
                f"${{{name}}} holds characters that end a password in a URL",
                "percent-encode it (@ is %40, / is %2F, # is %23), or put the whole URL there",
            )
        return value

    def _resolve(self, name: str) -> str:
        if name == PLAN_DIR:
            return str(self.folder)
        if name.startswith("file:"):
            return self._file(name.removeprefix("file:"))
        if _VARIABLE.fullmatch(name) is None:
            raise Unresolved(f"${{{name}}} is no reference", _INSTEAD + "; defaults are not known")
        value = self.environ.get(name, "")
        if not value:
            state = "is empty" if name in self.environ else "is not set"
            raise Unresolved(
                f"environment variable {name} {state}", f"export {name}=…", absent=True
            )
        return value

    def _file(self, path: str) -> str:
        try:
            text = (self.folder / path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = "is not UTF-8 text" if isinstance(error, ValueError) else _why(error)
            raise Unresolved(
                f"secret file {path} {why}", "the path starts at the plan's folder", absent=True
            ) from None
        secret = text.removesuffix("\n").removesuffix("\r")
        if not secret:
            raise Unresolved(f"secret file {path} is empty")
        return secret


def settle(kind: str, url: str, folder: Path) -> str:
    """An expanded URL that means the same from any working folder.

    Relative SQLite files, and the paths of stores that are files or folders, start at
    `folder`. Raises Unresolved for what cannot be a URL of this kind.
    """
    is_path = kind in STORES and kind != "sql" and "://" not in url
    if kind in ("files", "folder") or is_path:
        return str(folder / url.removeprefix("file://"))
    if kind == "sql":
        _database(url)
    relative = _RELATIVE_SQLITE.fullmatch(url)
    return f"{relative[1]}{folder / relative[2]}" if relative else url


def literal_secrets(url: str) -> bool:
    """Whether a URL as the plan writes it holds a password, token or key in plain text."""
    return any(_REFERENCE.sub("", secret) for secret in url_secrets(url))


def secret_problems(section: str, url: str, options: Mapping[str, str]) -> Iterator[Problem]:
    """Passwords written into the plan itself, in a URL or an option."""
    if literal_secrets(url):
        yield wrong(f"{section}.url", "holds a password in plain text", _INSTEAD)
    for name, value in options.items():
        reference = _REFERENCE.search(value) or value.startswith("file:")
        if (is_secret_name(name) and not reference) or literal_secrets(value):
            yield wrong(f"{section}.options.{name}", "is a secret in plain text", _INSTEAD)


def stray_references(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """`${NAME}` where nothing is expanded: outside `url` and `options` of stores and buses."""
    for parts, text in _texts(raw, ()):
        if _expanded(parts) or not _REFERENCE.search(text):
            continue
        hint = "paths start at the plan's folder anyway" if "${PLAN_DIR}" in text else None
        yield wrong(
            key_path(parts),
            "refers to the environment, which only `url` and `options` may",
            hint or "write the value itself: it is part of what a run seals",
        )


def _expanded(parts: tuple[Part, ...]) -> bool:
    if len(parts) > 3 and parts[0] == "bus" and parts[2] == "claims":
        return parts[3] == "url"
    return len(parts) > 2 and parts[0] in ("store", "bus") and parts[2] in ("url", "options")


def _texts(value: Any, parts: tuple[Part, ...]) -> Iterator[tuple[tuple[Part, ...], str]]:
    if isinstance(value, str):
        yield parts, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*parts, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*parts, index))


def _well_formed(text: str) -> None:
    if _NO_BRACES.fullmatch(text):
        raise Unresolved(f"{text} is not expanded", f"write ${{{text[1:]}}} with braces")
    if "${" in _REFERENCE.sub("", text):
        raise Unresolved("a reference ${ is not closed", "write ${NAME}")


def _database(url: str) -> None:
    if url.startswith("jdbc:"):
        raise Unresolved("is a JDBC URL", "drop the jdbc: and write user:password@ before the host")
    if url.startswith("postgres://"):
        raise Unresolved("postgres:// is not known", "write postgresql://")
    if "://" not in url:
        raise Unresolved(
            "is no database URL", 'such as "postgresql://…", or "sqlite:///isb.db" for a file'
        )
    if re.match(r"sqlite(\+\w+)?://[^/]", url):
        raise Unresolved("names a host", "SQLite takes three slashes: sqlite:///isb.db")


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, IsADirectoryError):
        return "is a folder"
    return "cannot be read"
