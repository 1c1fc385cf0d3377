"""One legacy store to Parquet without a plan: begun once, resumed as often as it takes.

The store's containers are sealed as they are (population and control totals) and read up
to what was sealed. At the end every segment is read back from disk, its digest
compared with the one written down, and its records counted against the sealed totals.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from migrate.core.ahead import ahead
from migrate.core.clock import rfc3339
from migrate.core.durable import file_digest, private_folder, write_segment
from migrate.core.errors import CouldNotVerify, MigrateError, PlanError, UsageError
from migrate.core.flow import SourceSpec
from migrate.core.ports import Chunk, LegacyStore, Population
from migrate.core.progress import Progress
from migrate.core.totals import Totals
from migrate.plan.stores import open_store
from migrate.run.lock import Lock
from migrate.run.manifest import (
    Asked,
    Extracted,
    Manifest,
    SealedSource,
    Segments,
    located,
    require_same,
)
from migrate.run.stop import Stop

EVERY_FILE = "**/*"
_COUNTED = ("body", "source_key", "problem")


@dataclass(frozen=True, slots=True)
class Compared:
    """A control total: what the store counted when it was sealed, what the segments hold (None:
    only the store can count it), what the store counts now (None: not asked again)."""

    name: str
    sealed: str
    read: str | None
    now: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether the segments hold what the store counted."""
        return self.read is None or self.read == self.sealed

    @property
    def changed(self) -> bool:
        """Whether the store counts differently now."""
        return self.now is not None and self.now != self.sealed


@dataclass(frozen=True, slots=True)
class Extract:
    """One container's segments and totals."""

    source: SealedSource
    folder: Path
    segments: int
    rows: int
    totals: tuple[Compared, ...]

    @property
    def agrees(self) -> bool:
        """Whether every total that can be compared agrees."""
        return all(one.agrees for one in self.totals)

    @property
    def changed(self) -> bool:
        """Whether the store holds something else now; known only where it was asked again."""
        return any(one.changed for one in self.totals)


@dataclass(frozen=True, slots=True)
class Extraction:
    """A complete extraction. `before`: it was so before this call, and `asked_again` says
    whether the store could be asked what it holds now."""

    extracts: tuple[Extract, ...]
    before: bool
    asked_again: bool


def extract_store(asked: Asked, out: Path, *, progress: Progress, stop: Stop) -> Extraction:
    """Extract what is asked into a folder, or go on with it, or verify one that is complete.

    `stop` is entered while segments are written. Raises RunConflict where the folder belongs to
    another extraction or holds something else, RunLocked, LegacyUnreadable, PlanError for a
    source that is none, CouldNotVerify for a segment that is not what was written,
    Interrupted; whatever it raises, calling again goes on.
    """
    _require_outside(asked, out)
    private_folder(out)
    with Lock(out / ".lock", what=f"the folder {out}"), ExitStack() as stack:
        store = _Store(asked, stack)
        manifest = Manifest.read(out)
        if manifest is None:
            manifest = _begun(asked, out, store.opened(), progress)
        else:
            require_same(out, manifest, asked)
        _sweep(out)
        segments = Segments(out)
        if manifest.ended is None:
            with stop:
                for source in manifest.sources:
                    _read(asked, source, out, store.opened(), segments, progress, stop)
        extracts = [_counted(source, out, segments, progress) for source in manifest.sources]
        before = manifest.ended is not None
        again = False
        if before or not all(one.agrees for one in extracts):
            with suppress(MigrateError):
                extracts = [_asked_again(asked, one, store.opened()) for one in extracts]
                again = True
        if not before:
            agrees = all(one.agrees for one in extracts)
            manifest.ending(rfc3339(datetime.now(UTC)), agrees=agrees).write(out)
        return Extraction(tuple(extracts), before, again)


class _Store:
    """The legacy store, opened when it is first wanted: a complete folder is verified without."""

    def __init__(self, asked: Asked, stack: ExitStack) -> None:
        self._asked, self._stack = asked, stack
        self._open: LegacyStore | None = None

    def opened(self) -> LegacyStore:
        """The store, closed with the stack."""
        if self._open is None:
            self._open = open_store(self._asked.spec)
            self._stack.callback(self._open.close)
        return self._open


def _begun(asked: Asked, out: Path, store: LegacyStore, progress: Progress) -> Manifest:
    """Check and seal every source, and write that down."""
    started = rfc3339(datetime.now(UTC))
    names = [asked.from_] if asked.from_ is not None else _containers(asked, store)
    named = list(_folders(names))
    progress.note(f"counting {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}")
    problems = [text for name, from_ in named for text in store.check(_source(asked, name, from_))]
    if problems:
        raise PlanError("; ".join(problems), hint="see --from, --key, --column and --option")
    sources: list[SealedSource] = []
    for name, from_ in named:
        population = store.population(_source(asked, name, from_))
        sources.append(SealedSource(name, from_, population))
        progress.note(f"{from_} holds {population.rows:,} records")
    manifest = Manifest(asked.as_json(), tuple(sources), started)
    manifest.write(out)
    return manifest


def _containers(asked: Asked, store: LegacyStore) -> list[str]:
    """Everything: every table or queue, or all files as one."""
    if asked.spec.kind == "files":
        return [EVERY_FILE]
    return [container.name for container in store.inventory()]


def _folders(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A folder's name of its own for each container, and the container."""
    taken: set[str] = set()
    for from_ in names:
        plain = "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in from_)
        stem = name = plain.strip("._")[:100] or "all"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        yield name, from_


def _source(asked: Asked, name: str, from_: str) -> SourceSpec:
    return replace(asked.source, flow=name, from_=from_)


def _read(
    asked: Asked,
    source: SealedSource,
    out: Path,
    store: LegacyStore,
    segments: Segments,
    progress: Progress,
    stop: Stop,
) -> None:
    """A source's records behind those that are there already, segment by segment."""
    done = segments.of(source.name)
    position = sum(segment.rows for segment in done)
    number = len(done)
    stage = f"extract {source.from_}"
    progress.start(stage, max(0, source.population.rows - position))
    found = store.read(
        _source(asked, source.name, source.from_),
        source.population,
        after=done[-1].checkpoint if done else None,
        position=position,
    )
    with closing(ahead(found)) as chunks:
        for chunk in chunks:
            if chunk.table.num_rows:
                number += 1
                segments.add(_written(out, source.name, number, chunk))
                progress.advance(stage, chunk.table.num_rows)
            stop.check()
    progress.finish(stage)


def _written(out: Path, name: str, number: int, chunk: Chunk) -> Extracted:
    path = out / name / f"{number:06d}.parquet"
    seal = write_segment(path, chunk.table)
    below, size = path.relative_to(out).as_posix(), path.stat().st_size
    return Extracted(name, below, chunk.table.num_rows, size, seal, chunk.checkpoint)


def _counted(source: SealedSource, out: Path, segments: Segments, progress: Progress) -> Extract:
    """A source's totals as its segments on disk have them. Raises CouldNotVerify."""
    found, totals = segments.of(source.name), Totals()
    stage = f"verify {source.from_}"
    progress.start(stage, sum(segment.rows for segment in found))
    for segment in found:
        path = out / segment.path
        if file_digest(path) != segment.sha256:
            raise CouldNotVerify(
                f"{path} is not what was extracted",
                hint="put back a true copy of it, or extract into another folder",
            )
        totals.add(pq.read_table(path, columns=list(_COUNTED)))
        progress.advance(stage, segment.rows)
    progress.finish(stage)
    compared = [
        Compared(control.name, control.value, totals.value(control.name))
        for control in source.population.controls
        if control.name != "rows"
    ]
    rows = Compared("rows", str(source.population.rows), str(totals.rows))
    return Extract(source, out / source.name, len(found), totals.rows, (rows, *compared))


def _asked_again(asked: Asked, one: Extract, store: LegacyStore) -> Extract:
    """The same with what the store counts now."""
    population = store.population(_source(asked, one.source.name, one.source.from_))
    now = _values(population)
    totals = tuple(replace(total, now=now.get(total.name, "")) for total in one.totals)
    return replace(one, totals=totals)


def _values(population: Population) -> dict[str, str]:
    return {
        **{control.name: control.value for control in population.controls},
        "rows": str(population.rows),
    }


def _require_outside(asked: Asked, out: Path) -> None:
    """A folder within the store would become part of it."""
    store = located(asked.spec.url)
    within = os.path.isdir(store) and out.resolve().is_relative_to(Path(store).resolve())  # noqa: PTH112
    if within:
        raise UsageError(f"{out} lies within the store", hint="take an --out outside of it")


def _sweep(out: Path) -> None:
    """Remove what a process that died had begun to write; nobody else writes here now."""
    for path in out.rglob(".*.tmp"):
        path.unlink()
