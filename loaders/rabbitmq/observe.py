"""The witness's own view of off-ramps on RabbitMQ: it reads streams, and takes nothing from queues.

A position is what `loaders.rabbitmq.positions` writes; a place is `<queue>@<offset>`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

import pyarrow as pa

from loaders.rabbitmq.link import Link
from loaders.rabbitmq.management import Management
from loaders.rabbitmq.positions import positions, start_of
from loaders.rabbitmq.seeing import Seeing
from loaders.rabbitmq.sight import sight_of
from loaders.rabbitmq.stream import Message, beginning, ends, read
from loaders.rabbitmq.topology import Ramp, ramps
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED


class Observer:
    """Reads over connections of its own; nothing it does changes what others see."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._seeing = Seeing(spec)
        self._address = self._seeing.address
        self._ramps = ramps(spec, self._address, offramps)
        self._forgotten: dict[str, str] = {}

    def positions(self) -> Mapping[str, str]:
        """Offsets and depths of every off-ramp. Raises CouldNotVerify."""
        with self._seeing.link() as link:
            return positions(link, self._ramps, self._address.timeout_s)

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything on every stream behind those positions, in core.schema.OBSERVED, up to what
        is there when this begins.

        Raises CouldNotVerify where a stream is absent, gone while it is read, or has forgotten
        what came behind the start.
        """
        lanes = [
            (ramp, lane) for ramp in self._ramps.values() if not ramp.counted for lane in LANES
        ]
        patience = self._address.timeout_s
        with self._seeing.link() as link:
            reached = ends(link, [ramp.stream(lane) for ramp, lane in lanes], patience)
            for ramp, lane in lanes:
                yield from self._stream(link, ramp, lane, since, reached[ramp.stream(lane)])

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """How tapped and counted off-ramps are seen, and what `observe` has found forgotten of
        those without a start position. Raises CouldNotVerify."""
        wanted = [ramp for ramp in self._ramps.values() if ramp.tapped or ramp.counted]
        found = self._numbers(wanted, since) if wanted else {}
        for name, doubt in self._forgotten.items():
            sight = found.get(name, Sight())
            found[name] = replace(sight, doubt="; ".join(filter(None, (sight.doubt, doubt))))
        return found

    def _numbers(self, wanted: Sequence[Ramp], since: Mapping[str, str]) -> dict[str, Sight]:
        with self._seeing.link() as link, ExitStack() as stack:
            address, management = self._address, None
            if address.management is not None:
                management = stack.enter_context(closing(Management(address)))
            return {
                ramp.name: sight_of(
                    link,
                    management,
                    address.exchange,
                    ramp,
                    since.get(ramp.name),
                    address.timeout_s,
                )
                for ramp in wanted
            }

    def close(self) -> None:
        """Let go of the connection."""
        self._seeing.close()

    def _stream(
        self, link: Link, ramp: Ramp, lane: str, since: Mapping[str, str], end: int
    ) -> Iterator[pa.RecordBatch]:
        stream, start = ramp.stream(lane), start_of(since.get(ramp.name), lane)
        # One that ends before the start is another one: made anew since then.
        first = start.next if start.next <= end else 0
        due = first if start.known else None
        for messages in read(link, stream, first, end, self._address.timeout_s):
            offset = messages[0][0].offset or 0
            if due is not None and offset > due:
                self._require_whole(link, stream, due)
            if offset and not start.known and not first:
                self._forgotten.setdefault(ramp.name, f'the stream "{stream}" begins late')
            due, first = None, offset + 1
            yield _observed(ramp, lane, messages)

    def _require_whole(self, link: Link, stream: str, due: int) -> None:
        """Raises CouldNotVerify where a stream no longer has what lay at an offset."""
        oldest = beginning(link, stream, self._address.timeout_s)
        if oldest > due:
            raise CouldNotVerify(
                f'the stream "{stream}" begins with offset {oldest:,}, and the run with {due:,}: '
                "its retention has dropped what lay between",
                hint="streams of off-ramps need no retention until they are reconciled",
            )


def _observed(ramp: Ramp, lane: str, messages: Sequence[Message]) -> pa.RecordBatch:
    heads = [head for head, _ in messages]
    offsets = [head.offset or 0 for head in heads]
    rows, stream = len(heads), ramp.stream(lane)
    arrays = [
        pa.array(offsets, pa.int64()),
        pa.repeat(ramp.name, rows),
        pa.repeat(lane, rows),
        pa.array([head.message_id for head in heads], pa.string()),
        pa.array([head.headers for head in heads], pa.string()),
        pa.array([body for _, body in messages], pa.large_binary()),
        pa.array([f"{stream}@{offset}" for offset in offsets], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVED)
