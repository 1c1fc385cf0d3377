"""The legacy store that is a folder of files."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from extractors.files import claims, controls, read, tables
from extractors.files.about import ABOUT
from extractors.files.check import (
    ALLOW_IDENTICAL,
    folder_problems,
    option_problems,
    source_problems,
)
from extractors.files.spool import Spool
from extractors.files.survey import FileFacts, survey, survey_unread
from migrate.core.clock import rfc3339
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Claim, Container, Population


class FilesStore:
    """Files below a root folder; `from` of a source is a glob, out_of_scope holds globs.

    A file that out_of_scope names belongs to no flow, whatever their globs say. A key
    `glob#21` leaves out the records of type 21 alone. Nothing is opened before
    it is wanted, and nothing is kept open. Raises LegacyUnreadable for what
    cannot be read, for links, and for files that change.
    """

    about = ABOUT

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._folder = Spool(spec)

    @property
    def folder(self) -> Spool:
        """The folder, as this store walks it."""
        return self._folder

    def can_write(self) -> str | None:
        """None: files are opened for reading only."""
        return None

    def inventory(self) -> Sequence[Container]:
        """Every file: records as far as its name tells how to cut it, bytes, age."""
        return [self._container(path) for path in self._folder.files()]

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        options = dict(self._spec.options)
        problems = [*option_problems(options), *source_problems(source)]
        if problems:
            return problems
        allow = options.get(ALLOW_IDENTICAL) == "true"
        return list(folder_problems(self._folder, source, allow_identical=allow))

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every file; `file#type` for each record type of files that flows share by type."""
        for source in sources:
            self._sound(source)
        return list(claims.claims(self._folder, sources))

    def population(self, source: SourceSpec) -> Population:
        """Records, control totals; `sealed`: {"files": [FileFacts …]} in their order."""
        self._sound(source)
        files = [survey(self._folder, source, path) for path in self._folder.of(source)]
        return Population(
            rows=sum(facts.records for facts in files),
            high_water=None,
            controls=controls.controls(self._folder, self._spec, source, files),
            sealed={"files": [facts.as_json() for facts in files]},
        )

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in the order of files and of records in them; see LegacyStore.read.

        With a population exactly its files are read, and one that is not what
        it was then raises LegacyUnreadable before any of its records is given out.
        Without, the files are read as they are now.
        """
        self._sound(source)
        sealed = None if population is None else _sealed(population)
        return read.Reader(self._folder, source, self._spec, sealed).chunks(after, position)

    def table(self, query: str) -> pa.Table:
        """The reference table in a .csv or .parquet file below the root, all columns text."""
        return tables.read_table(self._folder, query)

    def close(self) -> None:
        """Nothing is open between calls."""

    def _sound(self, source: SourceSpec) -> None:
        problem = next(source_problems(source), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")

    def _container(self, path: str) -> Container:
        record = claims.likely(path)
        facts = survey_unread(self._folder, record, path)
        moment = datetime.fromtimestamp(facts.modified_ns // 10**9, UTC)
        written = {"oldest": rfc3339(moment), "newest": rfc3339(moment)}
        detail = {
            "written": written,
            "format": record.format,
            "charset": facts.charset,
            "charset_known": facts.known,
        }
        return Container(path, facts.records, facts.bytes, detail=detail)


def _sealed(population: Population) -> list[FileFacts]:
    try:
        return [FileFacts.of_json(facts) for facts in population.sealed["files"]]
    except (KeyError, TypeError):
        raise LegacyUnreadable(
            "the sealed population is not one of files", hint="the run folder is damaged"
        ) from None
