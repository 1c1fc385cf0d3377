"""The streams and classic queues of a virtual host of a live RabbitMQ."""

import difflib
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

import pyarrow as pa

from extractors.rabbitmq.about import QUEUE
from extractors.rabbitmq.address import address_of
from extractors.rabbitmq.chunks import Record, chunks
from extractors.rabbitmq.link import Extent, Link, linked
from extractors.rabbitmq.management import STREAM, Management, QueueFacts
from extractors.rabbitmq.spool import Spool
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import legacy_id_of_record
from migrate.core.ports import Chunk, Claim, Container, Control, Population

_FORMAT_GIVES = ("key", "order_by", "headers", "delivered", "where")


class QueueStore:
    """A source's `from` is the name of a queue. Its `columns` may name headers (`order_key =
    "custody_no"`).

    Nothing is read of a queue before the management API has said that reading it is without
    danger. A population seals of a stream its offsets, of a classic queue which messages there
    were. Raises LegacyUnreadable for whatever the broker will not do or should not be asked.
    """

    about = QUEUE

    def __init__(self, spec: StoreSpec) -> None:
        import_module("pika")  # so that a missing one is told when the store is opened
        self._spec = spec
        self._address = address_of(spec)
        self._management = Management(self._address)

    def can_write(self) -> str | None:
        """Always: the right to read a queue is, in RabbitMQ, the right to consume from it."""
        return "RabbitMQ gives who may read a queue the right to consume from it"

    def inventory(self) -> Sequence[Container]:
        """Every queue of the virtual host, whether or not it can be read."""
        found = []
        with linked(self._address) as link:
            for facts in self._management.queues():
                detail: dict[str, Any] = {
                    "type": facts.type,
                    "arguments": facts.arguments,
                    "policies": [name for name, _ in facts.policies],
                    "refused": facts.danger(),
                }
                found.append(Container(facts.name, _count(link, facts), None, detail=detail))
        return found

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        known = {facts.name: facts for facts in self._management.queues()}
        return list(_problems(source, known))

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every queue of the virtual host by how many flows claim its messages."""
        found = []
        with linked(self._address) as link:
            for facts in self._management.queues():
                flows = tuple(each.flow for each in sources if each.from_ == facts.name)
                patterns = (pattern for pattern, _ in self._spec.out_of_scope)
                declared = any(fnmatchcase(facts.name, pattern) for pattern in patterns)
                claims = len(flows) + int(declared)
                found.append(Claim(facts.name, claims, _count(link, facts) or 0, flows))
        return found

    def population(self, source: SourceSpec) -> Population:
        """What a queue holds now; controls `rows` and `body_bytes`."""
        facts = self._sound(source)
        with linked(self._address) as link:
            if facts.type == STREAM:
                return self._stream_population(link, source)
            with closing(link.borrow(facts.name)) as spool:
                return self._classic_population(source, spool)

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in the queue's order; with a population in the order that was sealed."""
        facts = self._sound(source)
        mark = None if after is None else _mark(after, int if facts.type == STREAM else str)
        if facts.type == STREAM:
            with linked(self._address) as link:
                records = self._stream(link, source, population, mark)
                yield from chunks(source, self._spec, records, position)
            return
        with linked(self._address) as link:
            spool = link.borrow(facts.name)
        with closing(spool):
            records = self._classic(source, spool, population, mark)
            yield from chunks(source, self._spec, records, position)

    def table(self, query: str) -> pa.Table:
        """Never: a broker holds no reference tables."""
        raise LegacyUnreadable("a broker holds no reference tables")

    def close(self) -> None:
        """Nothing is open between calls."""

    def _stream(
        self, link: Link, source: SourceSpec, population: Population | None, mark: Any
    ) -> Iterator[Record]:
        extent = _sealed_extent(population) if population else link.extent(source.from_)
        if mark is not None and (extent is None or not extent.first <= mark <= extent.last):
            raise _foreign()
        if extent is None or mark == extent.last:
            return
        start, last = extent.first if mark is None else mark + 1, extent.last
        if population is not None:
            now = link.extent(source.from_)
            last = min(last, now.last) if now else -1
            if now is None or not max(start, now.first) <= last:
                return  # retention has dropped all that was sealed
        for message, body in link.stream(source.from_, start, last):
            assert message.offset is not None
            name = f"{source.from_}@{message.offset}"
            yield Record(message.offset, name, str(message.offset), message, body)

    def _classic(
        self, source: SourceSpec, spool: Spool, population: Population | None, mark: Any
    ) -> Iterator[Record]:
        wanted = spool.seen
        keys = [one.key for one in wanted] if population is None else _sealed_keys(population)
        order = {key: number for number, key in enumerate(keys)}
        if mark is not None and mark not in order:
            raise _foreign()
        done = -1 if mark is None else order[mark]
        wanted = [one for one in wanted if order.get(one.key, -1) > done]
        for one in sorted(wanted, key=lambda one: order[one.key]):
            message, body = spool.message(one)
            name = legacy_id_of_record(source.from_, one.digest, one.occurrence)
            yield Record(one.key, name, None, message, body)

    def _stream_population(self, link: Link, source: SourceSpec) -> Population:
        extent = link.extent(source.from_)
        if extent is None:
            return Population(0, None, self._controls(source, 0, 0), {"first": None, "last": None})
        rows = size = 0
        for _, body in link.stream(source.from_, extent.first, extent.last):
            rows, size = rows + 1, size + len(body)
        sealed = {"first": extent.first, "last": extent.last}
        controls = self._controls(source, rows, size)
        return Population(rows, json.dumps([extent.last]), controls, sealed)

    def _classic_population(self, source: SourceSpec, spool: Spool) -> Population:
        keys = [one.key for one in spool.seen]
        size = sum(one.body_size for one in spool.seen)
        high = json.dumps([keys[-1]]) if keys else None
        controls = self._controls(source, len(keys), size)
        return Population(len(keys), high, controls, {"messages": keys})

    def _controls(self, source: SourceSpec, rows: int, size: int) -> tuple[Control, ...]:
        listed = f"rabbitmqctl list_queues -p '{self._address.vhost}' name messages"
        line = f"{listed} message_bytes # the line of {source.from_}"
        return (Control("rows", line, str(rows)), Control("body_bytes", line, str(size)))

    def _sound(self, source: SourceSpec) -> QueueFacts:
        """The queue of a source, if it may be read."""
        known = {facts.name: facts for facts in self._management.queues()}
        problem = next(_problems(source, known), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")
        return known[source.from_]


def _problems(source: SourceSpec, known: dict[str, QueueFacts]) -> Iterator[str]:
    facts = known.get(source.from_)
    if facts is None:
        near = difflib.get_close_matches(source.from_, known, n=1)
        meant = f'; did you mean "{near[0]}"?' if near else "; rabbitmqctl list_queues names them"
        yield f'from: there is no queue "{source.from_}"{meant}'
    elif danger := facts.danger():
        yield danger
    for key in _FORMAT_GIVES:
        if getattr(source, key):
            yield f"{key}: means nothing to a queue, its messages say it; leave it out"


def _count(link: Link, facts: QueueFacts) -> int | None:
    """An exclusive queue tells nobody but its owner."""
    if facts.exclusive:
        return None
    if facts.type != STREAM:
        return link.count(facts.name)
    extent = link.extent(facts.name)
    return extent.last - extent.first + 1 if extent else 0


def _sealed_extent(population: Population) -> Extent | None:
    first, last = population.sealed.get("first"), population.sealed.get("last")
    if "first" not in population.sealed:
        raise _not_sealed()
    if not (isinstance(first, int) and isinstance(last, int)):
        return None
    return Extent(first, last)


def _sealed_keys(population: Population) -> list[str]:
    keys = population.sealed.get("messages")
    if not isinstance(keys, list):
        raise _not_sealed()
    return keys


def _mark(after: str, kind: type) -> Any:
    try:
        mark = json.loads(after)["after"]
    except (ValueError, TypeError, KeyError):
        raise _foreign() from None
    if type(mark) is not kind:
        raise _foreign()
    return mark


def _not_sealed() -> LegacyUnreadable:
    return LegacyUnreadable(
        "the population is none of such a queue; was it made anew with another type?",
        hint="start a new run",
    )


def _foreign() -> LegacyUnreadable:
    return LegacyUnreadable(
        "the checkpoint is none of this source, or its message is gone", hint="start a new run"
    )
