"""The witness's own view of off-ramps on RabbitMQ: it reads streams, and takes nothing from queues.

A position is what `loaders.rabbitmq.positions` writes; a place is `<queue>@<offset>`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager

import pyarrow as pa

from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.hints import hint_for
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import NOT_FOUND, LinkLost
from loaders.rabbitmq.management import Management
from loaders.rabbitmq.positions import counted, positions, start_of
from loaders.rabbitmq.sight import sight_of
from loaders.rabbitmq.stream import Message, ends, read
from loaders.rabbitmq.topology import Ramp, ramps
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED


class Observer:
    """Reads over connections of its own; nothing it does changes what others see."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._address = address_of(spec)
        self._ramps = ramps(spec, self._address, offramps)
        self._link: Link | None = None

    def positions(self) -> Mapping[str, str]:
        """Offsets and depths of every off-ramp. Raises CouldNotVerify."""
        with self._reading():
            return positions(self._open(), self._ramps, self._address.timeout_s)

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything on every stream behind those positions, in core.schema.OBSERVED, up to what
        is there when this begins.

        Raises CouldNotVerify where a stream is absent, gone while it is read, or has forgotten
        what came behind the start.
        """
        lanes = [
            (ramp, lane) for ramp in self._ramps.values() if not ramp.counted for lane in LANES
        ]
        with self._reading():
            link, patience = self._open(), self._address.timeout_s
            reached = ends(link, [ramp.stream(lane) for ramp, lane in lanes], patience)
            for ramp, lane in lanes:
                yield from self._stream(link, ramp, lane, since, reached[ramp.stream(lane)])

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """How tapped and counted off-ramps are seen. Raises CouldNotVerify."""
        wanted = [ramp for ramp in self._ramps.values() if ramp.tapped or ramp.counted]
        if not wanted:
            return {}
        with self._reading(), ExitStack() as stack:
            link, address, management = self._open(), self._address, None
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

    def backlog(self) -> Mapping[str, int | None]:
        """How many messages wait in the queues of every off-ramp; None of a stream, whose readers
        nobody sees. Raises CouldNotVerify."""
        with self._reading():
            link = self._open()
            return {
                name: None
                if ramp.type == "stream"
                else sum(counted(link, ramp.queue(lane)).messages for lane in LANES)
                for name, ramp in self._ramps.items()
            }

    def close(self) -> None:
        """Let go of the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None

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
                raise CouldNotVerify(
                    f'the stream "{stream}" begins with offset {offset:,}, and the run with '
                    f"{due:,}: its retention has dropped what lay between",
                    hint="streams of off-ramps need no retention until they are reconciled",
                )
            due = None
            yield _observed(ramp, lane, messages)

    def _open(self) -> Link:
        if self._link is None:
            self._link = Link(self._address, "witness")
        return self._link

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except LinkLost as lost:
            self._link = None
            raise CouldNotVerify(
                f'the bus "{self._spec.name}" at {self._address.shown} {lost}',
                hint=hint_for(
                    lost, _HINTS, "look whether it runs, and at the account's right to read"
                ),
            ) from None


_HINTS = {NOT_FOUND: "a run makes exchanges and queues; were some removed?"}


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
