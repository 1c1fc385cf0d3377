"""The legacy store that is an export file, or a folder of them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

import pyarrow as pa

from extractors.exports.controls import file_controls, list_files
from extractors.exports.folder import Exports, belongs
from extractors.exports.read import OVERRIDABLE, Reader, Sealed, seal
from extractors.exports.survey import Taken, tallies, units_of
from extractors.exports.unit import Format, Settings, control_pair
from extractors.files.charset import known
from migrate.core.clock import UnreadableTime, instant
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec, TimeSpec
from migrate.core.ports import Chunk, Claim, Container, Population

LONGEST = 256 * 1024 * 1024
ALLOW_LOSSY = "allow_lossy"
_OPTIONS = ("max_message_bytes", ALLOW_LOSSY, "dumped_at")
_MEANINGLESS = ("where", "key", "order_by", "headers", "delivered", "endpoints")


class ExportStore:
    """An export at the store's URL; `from` of a source is a queue, or `*` for all of them.

    Options: `max_message_bytes` (of the file, for one message; 256 MiB),
    `allow_lossy = "true"` (take bodies whose exact bytes the export did not keep), `dumped_at`
    (when the export was made, for expiries that count from then). Files are opened
    read-only, nothing is kept open. Raises LegacyUnreadable for files that
    cannot be read, are links, or change.
    """

    form: ClassVar[Format]

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._exports = Exports(spec)

    def can_write(self) -> str | None:
        """None: files are opened for reading only."""
        return None

    def inventory(self) -> Sequence[Container]:
        """Every queue: messages, bytes of their bodies, oldest and newest, types, states."""
        found = tallies(self._exports, self.form, self._settings)
        return [
            Container(queue, tally.units, tally.body_bytes, detail=tally.detail())
            for queue, tally in found.items()
        ]

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        problems = list(self._source_problems(source))
        return problems or list(self._lossy(source))

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every queue with the flows that read it; files out of scope by name."""
        found: Counter[tuple[str, int, tuple[str, ...]]] = Counter()
        for path in self._exports.paths():
            for unit in units_of(self._exports, self.form, self._settings, path):
                flows = tuple(s.flow for s in sources if self._taken(s)(unit.queue, path))
                out = int(self._exports.out_of_scope(unit.queue))
                found[unit.queue, len(flows) + out, flows] += 1
        claims = [Claim(queue, n, units, flows) for (queue, n, flows), units in found.items()]
        claims += [self._left_out(path) for path in self._exports.left_out()]
        return sorted(claims, key=lambda claim: (claim.container, claim.flows))

    def population(self, source: SourceSpec) -> Population:
        """Units and control totals; `sealed`: {"files": [ExportFacts …], "repeated": […]}."""
        self._sound(source)
        sealed = seal(self._exports, self.form, self._settings_of(source), self._taken(source))
        rows = sum(facts.units for facts in sealed.files)
        size = sum(facts.body_bytes for facts in sealed.files)
        listing = list_files(self._exports)
        totals = self.form.totals(listing, str(self._exports.root), source)
        controls = (*file_controls(listing, sealed.files), *control_pair(totals, rows, size))
        return Population(rows, None, controls, sealed.as_json())

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in the order of files and of messages in them; see LegacyStore.read.

        With a population exactly its files are read, and one that is not what
        it was then raises LegacyUnreadable. Without, they are counted first.
        """
        self._sound(source)
        settings, taken = self._settings_of(source), self._taken(source)
        if population is None:
            sealed = seal(self._exports, self.form, settings, taken)
        else:
            sealed = _sealed(population)
        timed = replace(source, times=self._times(source))
        reader = Reader(self._exports, self.form, settings, timed, self._spec, taken)
        return reader.chunks(sealed, after, position)

    def table(self, query: str) -> pa.Table:
        """Never: an export holds messages."""
        raise LegacyUnreadable(
            "an export holds no reference tables", hint="name a .csv or .parquet file"
        )

    def close(self) -> None:
        """Nothing is open between calls."""

    @cached_property
    def _settings(self) -> Settings:
        options = dict(self._spec.options)
        longest = options.get("max_message_bytes", str(LONGEST))
        if not (longest.isascii() and longest.isdecimal() and int(longest) > 0):
            raise LegacyUnreadable(
                f"store {self._spec.name}: max_message_bytes is no number of bytes",
                hint=f'options = {{ max_message_bytes = "{LONGEST}" }}',
            )
        return Settings(int(longest), None, options.get("dumped_at"))

    def _settings_of(self, source: SourceSpec) -> Settings:
        return replace(self._settings, charset=source.charset)

    def _taken(self, source: SourceSpec) -> Taken:
        by_file = self.form.named_by_file

        def taken(queue: str, path: str) -> bool:
            if self._exports.out_of_scope(queue):
                return False
            return belongs(source.from_, queue, path, by_file=by_file)

        return taken

    def _left_out(self, path: str) -> Claim:
        units = units_of(self._exports, self.form, self._settings, path)
        return Claim(path, 1, sum(1 for _ in units))

    def _times(self, source: SourceSpec) -> tuple[tuple[str, TimeSpec], ...]:
        """The plan's time rules, but for columns whose meaning the format itself decides."""
        own = dict(source.columns)
        given = dict(source.times)
        fixed = {name: spec for name, spec in self.form.times.items() if name not in own}
        return tuple({**given, **fixed}.items())

    def _sound(self, source: SourceSpec) -> None:
        problem = next(self._source_problems(source), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")

    def _source_problems(self, source: SourceSpec) -> Iterator[str]:
        for key in _MEANINGLESS:
            if getattr(source, key):
                yield f"{key} means nothing to an export: its messages say everything"
        for name, _ in source.columns:
            if name not in OVERRIDABLE:
                yield f"columns: {name} comes from the export; known: {', '.join(OVERRIDABLE)}"
        if source.charset is not None and not known(source.charset):
            yield f"charset: there is no {source.charset}"
        for option, value in self._spec.options:
            if option not in _OPTIONS:
                yield f"the store has no option {option}; known: {', '.join(_OPTIONS)}"
            elif option == "dumped_at" and not _is_instant(value):
                yield "the store's option dumped_at is no time, such as 2016-06-30T22:00:00Z"

    def _lossy(self, source: SourceSpec) -> Iterator[str]:
        if dict(self._spec.options).get(ALLOW_LOSSY) == "true":
            return
        taken, lossy = self._taken(source), 0
        for path in self._exports.paths():
            for unit in units_of(self._exports, self.form, self._settings, path):
                lossy += unit.lossy and taken(unit.queue, path)
        if lossy:
            yield (
                f"from: {lossy} messages were exported without their exact bytes; "
                f'{self.form.advice}, or set the store\'s options = {{ {ALLOW_LOSSY} = "true" }}'
            )


def _sealed(population: Population) -> Sealed:
    try:
        return Sealed.of_json(population.sealed)
    except (KeyError, TypeError):
        raise LegacyUnreadable(
            "the sealed population is not one of an export", hint="the run folder is damaged"
        ) from None


def _is_instant(text: str) -> bool:
    try:
        return instant(text, TimeSpec("offset")) is not None
    except UnreadableTime:
        return False
