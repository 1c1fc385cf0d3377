"""The KahaDB store of Apache ActiveMQ Classic: its journal, without the broker and its index."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyarrow as pa

from extractors.activemq.about import KAHADB
from extractors.activemq.account import ACKNOWLEDGED, IN_DOUBT
from extractors.activemq.bodies import MAX_INFLATED
from extractors.activemq.check import source_problems
from extractors.activemq.journal import LogFile, log_files, open_log
from extractors.activemq.live import Live, LiveSet, live_set
from extractors.activemq.records import Records, Unit
from extractors.activemq.survey import Survey
from extractors.activemq.tables import matches
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import key_text
from migrate.core.ports import Chunk, Claim, Container, Control, Population


class KahaDbStore:
    """A folder of `db-*.log`; the broker must be stopped, or the folder be a copy.

    A source's `from` is as for `activemq-jdbc`. The journal is replayed once and what is live kept
    in memory: about half a kilobyte a message. Options: `max_inflated_bytes`,
    `torn_tail`. Raises LegacyUnreadable for a damaged journal and for one that changes.
    """

    about = KAHADB

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._files: list[LogFile] = []
        self._known: LiveSet | None = None

    def can_write(self) -> str | None:
        """None: files are opened for reading only."""
        return None

    def inventory(self) -> Sequence[Container]:
        """Every queue and topic; every message is decoded to count what cannot be."""
        live = self._live()
        doubtful, found = live.in_doubt(), []
        messages: dict[str, list[Live]] = {name: [] for name in doubtful}
        for one in live.messages():
            messages.setdefault(one.container, []).append(one)
        for name, each in sorted(messages.items()):
            survey = Survey(self._max_inflated)
            frames = _Frames(self._files)
            survey.add(frames.of(one) for one in each)
            detail = survey.detail() | {"in_doubt": doubtful[name]}
            size = sum(one.place.end - one.place.start for one in each)
            found.append(Container(name, sum(map(_units, each)), size, detail=detail))
        return found

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        return list(source_problems(source, sorted({one.container for one in self._messages()})))

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every container's messages by how many flows claim them; lines `NAME (in doubt)` and
        `NAME (acknowledged)` as for `activemq-jdbc`."""
        live = self._live()
        units: Counter[str] = Counter()
        for one in live.messages():
            units[one.container] += _units(one)
        lines = [(name, name, rows) for name, rows in sorted(units.items())]
        acknowledged = sorted(live.acknowledged().items())
        lines += [(name, f"{name}{ACKNOWLEDGED}", rows) for name, rows in acknowledged]
        found = []
        for name, label, rows in lines:
            flows = tuple(source.flow for source in sources if matches(source.from_, name))
            found.append(Claim(label, len(flows) + self._declared(label), rows, flows))
        for name, rows in sorted(live.in_doubt().items()):
            label = f"{name}{IN_DOUBT}"
            found.append(Claim(label, self._declared(label), rows))
        return found

    def population(self, source: SourceSpec) -> Population:
        """Units, and the bytes of their frames; `sealed`: the journal's files as they are now."""
        self._sound(source)
        found = [one for one in self._messages() if matches(source.from_, one.container)]
        rows = sum(map(_units, found))
        size = sum(one.place.end - one.place.start for one in found)
        query = f"isb-migrate extract activemq-kahadb {self._spec.url} --from '{source.from_}'"
        controls = (
            Control("rows", query, str(rows)),
            Control("frame_bytes", f"{query} # bytes of the frames", str(size)),
        )
        high = json.dumps(self._key(found[-1])) if found else None
        return Population(rows, high, controls, {"files": self._facts()})

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in the order in which messages were stored; all units of a message in one.

        With a population the journal must be the same as then.
        """
        self._sound(source)
        everything = self._messages()
        if population is not None and population.sealed.get("files") != self._facts():
            raise LegacyUnreadable(
                f'store "{self._spec.name}": the journal has changed since it was sealed',
                hint="stop the broker, or read a copy; then start a new run",
            )
        found = [one for one in everything if matches(source.from_, one.container)]
        return self._chunks(source, found[self._behind(found, after) :], position)

    def table(self, query: str) -> pa.Table:
        """Never: a journal holds no reference tables."""
        raise LegacyUnreadable("an ActiveMQ store holds no reference tables")

    def close(self) -> None:
        """Nothing is open between calls."""

    def _chunks(self, source: SourceSpec, found: list[Live], position: int) -> Iterator[Chunk]:
        records, frames, size = Records(source, self._max_inflated), _Frames(self._files), 0
        shared = _shared(found)
        for number, one in enumerate(found):
            name = one.message_id
            if name in shared:
                name = f"{name}#{self._files[one.place.file].number}:{one.place.start}"
            units = [self._unit(one, name, key) for key in sorted(one.waiting or [""])]
            records.add(frames.of(one), one.container, units, one.message_id)
            size += len(units) * (one.place.end - one.place.start)
            following = found[number + 1] if number + 1 < len(found) else None
            if following is None or self._is_full(len(records), size, following):
                rows = len(records)
                checkpoint = json.dumps({"after": self._key(one)})
                yield Chunk(records.table(position), checkpoint)
                position, size = position + rows, 0

    def _is_full(self, rows: int, size: int, following: Live) -> bool:
        """Whether the next message would go beyond the limits of a chunk."""
        more = _units(following)
        bytes_ = more * (following.place.end - following.place.start)
        return rows + more > self._spec.batch_rows or size + bytes_ > self._spec.batch_bytes

    def _unit(self, one: Live, name: str, key: str) -> Unit:
        place = [str(part) for part in self._key(one)]
        if one.waiting is None:
            return Unit(key_text(place), name)
        headers = ("activemq.subscription", "text", key)
        return Unit(key_text([*place, key]), f"{name}@{key}", headers)

    def _key(self, one: Live) -> list[int]:
        """The number of a file and an offset in it."""
        return [self._files[one.place.file].number, one.place.start]

    def _behind(self, found: list[Live], after: str | None) -> int:
        """How many messages are not behind a checkpoint. Raises LegacyUnreadable."""
        if after is None:
            return 0
        try:
            key = json.loads(after)["after"]
            return [self._key(one) for one in found].index(key) + 1
        except (ValueError, TypeError, KeyError):
            raise LegacyUnreadable(
                "the checkpoint is none of this source", hint="start a new run"
            ) from None

    def _messages(self) -> list[Live]:
        return list(self._live().messages())

    def _live(self) -> LiveSet:
        """What is live in the files as they are now."""
        files = log_files(Path(self._spec.url))
        if self._known is None or files != self._files:
            drop = dict(self._spec.options).get("torn_tail") == "drop"
            self._known, self._files = live_set(files, drop_torn=drop), files
        return self._known

    def _facts(self) -> list[dict[str, Any]]:
        return [
            {"file": file.path.name, "bytes": file.size, "modified_ns": file.modified_ns}
            for file in self._files
        ]

    @property
    def _max_inflated(self) -> int:
        text = dict(self._spec.options).get("max_inflated_bytes", str(MAX_INFLATED))
        return int(text) if text.isdecimal() else MAX_INFLATED

    def _declared(self, label: str) -> int:
        return int(any(fnmatchcase(label, pattern) for pattern, _ in self._spec.out_of_scope))

    def _sound(self, source: SourceSpec) -> None:
        problem = next(source_problems(source, ()), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")


class _Frames:
    """The frames of a journal's messages."""

    def __init__(self, files: list[LogFile]) -> None:
        self._files = files
        self._open: dict[int, Any] = {}

    def of(self, one: Live) -> bytes:
        place = one.place
        if place.file not in self._open:
            self._open[place.file] = open_log(self._files[place.file])
        return bytes(self._open[place.file][place.start : place.end])


def _units(one: Live) -> int:
    return 1 if one.waiting is None else len(one.waiting)


def _shared(found: list[Live]) -> frozenset[str]:
    """Message ids that several containers hold: copies of one message."""
    counted = Counter(one.message_id for one in found)
    return frozenset(name for name, times in counted.items() if times > 1)
