"""Where the texts of XML and JSON bodies are: paths and how many bodies have each.

Only names are looked at. A name that occurs in few bodies, or that is no word, may be a value (an
object whose members are named by number plates): it is left out, with everything below it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from lxml import etree

from migrate.plan.propose.names import identifier

MOST_FIELDS = 40

_MOST_NODES = 20_000
_MOST_DEPTH = 24
_MOST_PATHS = 5_000
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_MEMBER = re.compile(r"[@$#]?[A-Za-z_][A-Za-z0-9_.: -]{0,39}")
_FIGURES = re.compile(r"[0-9]{4}")
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


class Step(NamedTuple):
    """A step of a path: a namespace (XML), a name, and whether it is an attribute."""

    uri: str
    name: str
    attribute: bool = False


Path: TypeAlias = tuple[Step, ...]
Paths: TypeAlias = dict[Path, None]
"""The paths of a body, in the order in which it has them."""


@dataclass(slots=True)
class Tally:
    """Paths over many bodies: in how many each is, and which are several times in one."""

    bodies: int = 0
    found: Counter[Path] = field(default_factory=Counter)
    many: set[Path] = field(default_factory=set)

    def add(self, paths: Paths, several: Collection[Path] = ()) -> None:
        """Count one body: its paths, and those under which it has several nodes or values."""
        self.bodies += 1
        for path in paths:
            if path in self.found or len(self.found) < _MOST_PATHS:
                self.found[path] += 1
        self.many.update(path for path in several if len(self.many) < _MOST_PATHS)

    def commonest(self) -> list[tuple[Path, int]]:
        """The paths that most bodies have, in the order in which bodies have them."""
        least = max(2, self.bodies // 20) if self.bodies > 1 else 1
        often = [(path, n) for path, n in self.found.items() if n >= least and _worded(path)]
        kept = {path for path, _ in sorted(often, key=lambda one: -one[1])[:MOST_FIELDS]}
        return [(path, n) for path, n in often if path in kept]


def _worded(path: Path) -> bool:
    return all(
        (_WORD if step.uri or step.attribute else _MEMBER).fullmatch(step.name)
        and not _FIGURES.search(step.name)
        for step in path
    )


def xml_paths(root: etree._Element) -> tuple[Paths, set[Path]]:
    """Elements without elements in them, and attributes; and all that are there several times."""
    found: Paths = {}
    seen: set[Path] = set()
    several: set[Path] = set()
    waiting: list[tuple[etree._Element, Path]] = [(root, ())]
    nodes = 0
    while waiting and nodes < _MOST_NODES:
        element, above = waiting.pop()
        nodes += 1
        path = (*above, _step(element.tag))
        own = [(*path, _step(str(name), attribute=True)) for name in element.attrib]
        own = [each for each in own if each[-1].uri != _XSI]
        children = [child for child in element if isinstance(child.tag, str)]
        found |= dict.fromkeys(own if children else (*own, path))
        several |= seen.intersection((*own, path))
        seen |= {*own, path}
        if len(path) < _MOST_DEPTH:
            waiting.extend((child, path) for child in reversed(children))
    return found, several


def json_paths(document: Any) -> tuple[Paths, set[Path]]:
    """Members that are no objects; and those that an array is met on the way to, or at."""
    found: Paths = {}
    many: set[Path] = set()
    for path, several in islice(_members(document, (), several=False), _MOST_NODES):
        found[path] = None
        if several:
            many.add(path)
    found.pop((), None)
    return found, many


def _members(value: Any, path: Path, *, several: bool) -> Iterator[tuple[Path, bool]]:
    if isinstance(value, list):
        plain = not any(isinstance(each, dict) for each in value)
        if plain:
            yield path, True
        for each in value if not plain else ():
            yield from _members(each, path, several=True)
    elif isinstance(value, dict) and value and len(path) < _MOST_DEPTH:
        for name, each in value.items():
            yield from _members(each, (*path, Step("", name)), several=several)
    else:
        yield path, several


def _step(tag: Any, *, attribute: bool = False) -> Step:
    uri, _, name = str(tag).removeprefix("{").rpartition("}")
    return Step(uri, name, attribute)


def xpath(path: Path, prefixes: Mapping[str, str]) -> str:
    """The path as an XPath, with the prefixes of its namespaces."""
    written = []
    for step in path:
        prefix = f"{prefixes[step.uri]}:" if step.uri else ""
        written.append(f"/{'@' if step.attribute else ''}{prefix}{step.name}")
    return "".join(written)


def pointer(path: Path) -> str:
    """The path as a JSON pointer (RFC 6901)."""
    return "".join(f"/{step.name.replace('~', '~0').replace('/', '~1')}" for step in path)


def prefixes_of(paths: list[Path], declared: Mapping[str, Counter[str]]) -> dict[str, str]:
    """A prefix for every namespace of some paths: the one most documents use, where it is free."""
    found: dict[str, str] = {}
    for uri in dict.fromkeys(step.uri for path in paths for step in path if step.uri):
        used = [prefix for prefix, _ in declared.get(uri, Counter()).most_common()]
        free = [prefix for prefix in used if prefix and prefix not in found.values()]
        found[uri] = free[0] if free else _new(uri, found)
    return found


def _new(uri: str, found: Mapping[str, str]) -> str:
    """The first letter of what a namespace's name ends in, numbered where it is taken."""
    words = [word for word in re.split(r"[^A-Za-z]+", uri) if word and word.lower() != "xml"]
    letter = identifier(words[-1])[0] if words else "n"
    prefix, number = letter, 2
    while prefix in found.values():
        prefix, number = f"{letter}{number}", number + 1
    return prefix
