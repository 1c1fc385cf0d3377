"""Whose records a store's files hold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from extractors.files.cutters import cut_file
from extractors.files.record_types import beginning, is_type, keeper, label
from extractors.files.spool import Spool
from extractors.files.survey import survey, survey_unread
from migrate.core.flow import RecordSpec, SourceSpec
from migrate.core.ports import Claim

_LIKELY = {
    ".csv": RecordSpec("csv", charset="detect"),
    ".jsonl": RecordSpec("jsonl", charset="detect"),
    ".ndjson": RecordSpec("jsonl", charset="detect"),
}
_WHOLE = RecordSpec("file", charset="detect")


def claims(folder: Spool, sources: Sequence[SourceSpec]) -> Iterator[Claim]:
    """Every file, by how many flows take its records; out of scope is one claim, of no flow.

    Where record types are in play for a file, one claim for each type in it,
    `file#type`; types nobody declared and that look like no code are `file#other`.
    Records of files that no flow reads are counted as their names suggest.
    """
    for path in folder.files():
        takers = [source for source in sources if folder.belongs(path, source)]
        left_out = folder.types_left_out(path)
        if not takers:
            claimed = int(folder.reason(path) is not None)
            yield Claim(path, claimed, _records(folder, path))
        elif left_out or any(source.record.record_type for source in takers):
            yield from _by_type(folder, path, takers, left_out)
        else:
            flows = tuple(source.flow for source in takers)
            facts = survey(folder, takers[0], path)
            yield Claim(path, len(flows), facts.records, flows)


def likely(path: str) -> RecordSpec:
    """How a file is probably cut, by its name."""
    name = PurePosixPath(path)
    unpacked = name.with_suffix("") if name.suffix.lower() == ".gz" else name
    return _LIKELY.get(unpacked.suffix.lower(), _WHOLE)


def _records(folder: Spool, path: str) -> int:
    return survey_unread(folder, likely(path), path).records


def _by_type(
    folder: Spool, path: str, takers: Sequence[SourceSpec], left_out: frozenset[str]
) -> Iterator[Claim]:
    spec = takers[0].record
    wanted = {source.record.record_type for source in takers}
    declared = left_out | {name for name in wanted if name}
    keepers = [(source.flow, keeper(source.record, left_out)) for source in takers]
    found: Counter[tuple[str, bool, tuple[str, ...]]] = Counter()
    with folder.open(path) as file:
        view, known, _, spans = cut_file(
            file, takers[0], folder.limits.max_record_bytes, typed=True
        )
        charset = known or "latin-1"
        for span in spans:
            record = view.slice(span.start, span.end)
            begins = beginning(record, charset, spec)
            out = any(is_type(begins, name, spec) for name in left_out)
            flows = tuple(flow for flow, keep in keepers if not keep or keep(record, charset))
            found[label(begins, declared, spec), out, flows] += 1
        file.finish()
    for (name, out, flows), records in sorted(found.items()):
        yield Claim(f"{path}#{name}", len(flows) + out, records, flows)
