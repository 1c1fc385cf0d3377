"""What an export holds, counted queue by queue: once when a run seals it, again whenever asked."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from extractors.exports.folder import Exports
from extractors.exports.repeats import Repeats
from extractors.exports.unit import Format, Settings, Unit
from extractors.files.view import FileView

Taken = Callable[[str, str], bool]
"""Queue, path → whether a flow reads it."""


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """A file as sealed in `Population.sealed["files"]`."""

    path: str
    bytes: int
    modified_ns: int
    sha256: str
    units: int  # that the flow takes
    body_bytes: int

    def as_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "ExportFacts":
        """The facts out of a sealed population. KeyError, TypeError if they are none."""
        return cls(**value)


@dataclass(slots=True)
class Tally:
    """One queue."""

    units: int = 0
    body_bytes: int = 0
    lossy: int = 0
    problems: int = 0
    oldest: str | None = None
    newest: str | None = None
    files: set[str] = field(default_factory=set)
    types: Counter[str] = field(default_factory=Counter)
    priorities: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def add(self, path: str, unit: Unit) -> None:
        """Count one more."""
        self.units += 1
        self.body_bytes += len(unit.body or b"")
        self.lossy += unit.lossy
        self.problems += unit.problem is not None
        self.files.add(path)
        for counter, name in _COUNTED:
            value = unit.columns.get(name)
            if value is not None:
                _count(getattr(self, counter), value)
        written = unit.columns.get("created_at")
        if written is not None:
            self.oldest = min(self.oldest or written, written)
            self.newest = max(self.newest or written, written)

    def detail(self) -> dict[str, Any]:
        """For the inventory."""
        written = {"oldest": self.oldest, "newest": self.newest}
        return {
            "written": written,
            "files": sorted(self.files),
            "types": dict(sorted(self.types.items())),
            "priorities": dict(sorted(self.priorities.items())),
            "states": dict(sorted(self.states.items())),
            "undecodable": self.problems,
            "lossy": self.lossy,
        }


MOST_NAMED = 1_000
"""How many types, priorities or states of a queue are counted by name."""

_OTHERS = "(others)"
_COUNTED = (("types", "message_type"), ("priorities", "priority"), ("states", "status"))


def _count(counter: Counter[str], value: str) -> None:
    """One more; where producers put a value of its own into every message, under `(others)`."""
    counter[value if value in counter or len(counter) < MOST_NAMED else _OTHERS] += 1


def digest_of(unit: Unit, file: FileView) -> bytes:
    """What tells a unit from others: SHA-256 of its message id, else of its bytes and queue."""
    if unit.identity is not None:
        return hashlib.sha256(unit.identity.encode("utf-8", "surrogatepass")).digest()
    record = hashlib.sha256(file.slice(unit.start, unit.end))
    record.update(unit.queue.encode())
    return record.digest()


def units_of(exports: Exports, form: Format, settings: Settings, path: str) -> Iterator[Unit]:
    """All units of a file. LegacyUnreadable if it changes meanwhile."""
    with exports.open(path) as file:
        yield from form.parse(file, path, settings)
        file.finish()


def survey(
    exports: Exports,
    form: Format,
    settings: Settings,
    path: str,
    taken: Taken,
    repeats: Repeats,
) -> ExportFacts:
    """Read a file through and count what a flow takes of it."""
    units = size = 0
    with exports.open(path) as file:
        for unit in form.parse(file, path, settings):
            if taken(unit.queue, path):
                units += 1
                size += len(unit.body or b"")
                repeats.add(digest_of(unit, file))
        return ExportFacts(path, file.size, file.modified_ns, file.finish(), units, size)


def tallies(exports: Exports, form: Format, settings: Settings) -> dict[str, Tally]:
    """Every queue of every file in scope, by name."""
    found: dict[str, Tally] = {}
    for path in exports.paths():
        for unit in units_of(exports, form, settings, path):
            found.setdefault(unit.queue, Tally()).add(path, unit)
    return dict(sorted(found.items()))
