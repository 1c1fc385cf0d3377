"""The folder of an extraction: what was asked, what was sealed, which segments are there.

    extraction.json      what was asked, with secrets masked; each source's sealed population; when
                         it ended and whether what was read agrees with what the store counted
    segments.jsonl       a line per segment: source, path, rows, bytes, sha256, checkpoint
    <source>/NNNNNN.parquet

`extraction.json` is replaced whole and rarely; a line is added to
`segments.jsonl` behind each segment, durably, so that a crash loses the segment in hand.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from migrate import __version__
from migrate.core.durable import append_line, write_json
from migrate.core.errors import CouldNotVerify, RunConflict
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from migrate.core.ports import Population
from migrate.core.redact_url import is_secret_name, mask_url
from migrate.plan.baseline import population_json, population_of

MANIFEST = "extraction.json"
SEGMENTS = "segments.jsonl"
FORMAT = 1
_RELATIVE_SQLITE = re.compile(r"(sqlite[\w+]*:///)(?!/|:memory:|file:)([^?]+)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What an extraction is asked for. `source`: its `from_` and `flow` are those of each
    container in turn; `from_`: the one container, or None for everything."""

    spec: StoreSpec
    source: SourceSpec
    from_: str | None

    def as_json(self) -> dict[str, Any]:
        """What tells it from others, without a secret; how hard the store is worked does not."""
        spec, source = self.spec, self.source
        return {
            "kind": spec.kind,
            "url": mask_url(located(spec.url)),
            "schema": spec.schema,
            "options": {name: _masked(name, value) for name, value in sorted(spec.options)},
            "from": self.from_,
            "where": source.where,
            "key": list(source.key),
            "columns": dict(source.columns),
            "record": _record(source.record),
            "batch_rows": spec.batch_rows,
            "batch_bytes": spec.batch_bytes,
        }


@dataclass(frozen=True, slots=True)
class SealedSource:
    """A container as it was sealed; `name` is its folder's."""

    name: str
    from_: str
    population: Population


@dataclass(frozen=True, slots=True)
class Extracted:
    """A segment that is there; `path` is below the folder."""

    source: str
    path: str
    rows: int
    bytes: int
    sha256: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`extraction.json`. `ended`, `agrees`: None until everything is read and compared."""

    asked: Mapping[str, Any]
    sources: tuple[SealedSource, ...]
    started: str
    ended: str | None = None
    agrees: bool | None = None

    def ending(self, ended: str, *, agrees: bool) -> "Manifest":
        """The same, ended."""
        return replace(self, ended=ended, agrees=agrees)

    def write(self, folder: Path) -> None:
        """Replace it, durably."""
        value = {
            "schema": FORMAT,
            "tool_version": __version__,
            "engine": {"pyarrow": pa.__version__},
            "asked": self.asked,
            "started": self.started,
            "ended": self.ended,
            "agrees": self.agrees,
            "sources": [_source_json(source) for source in self.sources],
        }
        write_json(folder / MANIFEST, value)

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """The folder's, or None in a folder that holds nothing.

        Raises RunConflict for a folder of something else, CouldNotVerify for a damaged one.
        """
        try:
            value = json.loads((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            _empty(folder)
            return None
        except ValueError:
            raise _damaged(folder / MANIFEST) from None
        try:
            return _manifest(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _damaged(folder / MANIFEST) from None


class Segments:
    """`segments.jsonl`. Raises CouldNotVerify where it, or a segment it names, is damaged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / SEGMENTS
        self._found = self._read()
        for segment in self._found:
            _present(folder, segment)

    def of(self, source: str) -> Sequence[Extracted]:
        """A source's segments in their order."""
        return [segment for segment in self._found if segment.source == source]

    def add(self, segment: Extracted) -> None:
        """Tell of one more, durably."""
        line = json.dumps(asdict(segment), ensure_ascii=False)
        append_line(self._path, line, event="extracted")
        self._found.append(segment)

    def _read(self) -> list[Extracted]:
        """Whole lines; what a crash left of one more is cut off."""
        data = self._path.read_bytes() if self._path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            with self._path.open("r+b") as file:
                file.truncate(len(whole))
                os.fsync(file.fileno())
        try:
            return [Extracted(**json.loads(line)) for line in whole.splitlines()]
        except (TypeError, ValueError):
            raise _damaged(self._path) from None


def require_same(folder: Path, manifest: Manifest, asked: Asked) -> None:
    """Raises RunConflict, naming what differs, where a folder is of another extraction."""
    wanted = asked.as_json()
    other = [name for name, value in wanted.items() if manifest.asked.get(name) != value]
    if other:
        raise RunConflict(
            f"{folder} belongs to another extraction: {', '.join(other)} differ"
            + ("s" if len(other) == 1 else ""),
            hint=f"take another --out, or ask as before (see {folder / MANIFEST})",
        )


def located(url: str) -> str:
    """A URL that means the same from everywhere: paths of files start at the root."""
    sqlite = _RELATIVE_SQLITE.fullmatch(url)
    if sqlite:
        return f"{sqlite[1]}{_absolute(sqlite[2])}{sqlite[3]}"
    # os.path, because a connection string may be too long for a path
    return _absolute(url) if "://" not in url and os.path.exists(url) else url  # noqa: PTH110


def _absolute(path: str) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - links stay as the operator wrote them


def _masked(name: str, value: str) -> str:
    return "***" if is_secret_name(name) else mask_url(value)


def _record(record: RecordSpec) -> dict[str, Any]:
    return {**asdict(record), "columns": list(record.columns)}


def _source_json(source: SealedSource) -> dict[str, Any]:
    population = population_json(source.population)
    controls = [{**one, "query": mask_url(one["query"])} for one in population["controls"]]
    return {
        "name": source.name,
        "from": source.from_,
        "population": {**population, "controls": controls},
    }


def _manifest(value: Mapping[str, Any]) -> Manifest:
    if value["schema"] != FORMAT:
        raise ValueError
    sources = tuple(
        SealedSource(one["name"], one["from"], population_of(one["population"]))
        for one in value["sources"]
    )
    return Manifest(value["asked"], sources, value["started"], value["ended"], value["agrees"])


def _empty(folder: Path) -> None:
    """Nothing but the lock and what a process that died had begun to write."""
    for path in folder.iterdir():
        if not path.name.startswith("."):
            raise RunConflict(
                f"{folder} holds something, but no extraction",
                hint=f"take another --out, or put {MANIFEST} back",
            )


def _present(folder: Path, segment: Extracted) -> None:
    try:
        size = (folder / segment.path).stat().st_size
    except OSError:
        size = -1
    if size != segment.bytes:
        raise CouldNotVerify(
            f"{folder / segment.path} is missing or not what was extracted",
            hint="put back a true copy of it, or extract into another folder",
        )


def _damaged(path: Path) -> CouldNotVerify:
    return CouldNotVerify(
        f"{path} is damaged or of another version",
        hint="put back a true copy of it, or extract into another folder",
    )
