"""A live Apache ActiveMQ Classic, browsed over OpenWire: nothing is consumed or acknowledged."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase

import pyarrow as pa

from extractors.activemq.about import BROWSE
from extractors.activemq.address import address_of
from extractors.activemq.bodies import MAX_INFLATED
from extractors.activemq.browsed import QUEUE, Browsed, Seen, browse
from extractors.activemq.check import source_problems
from extractors.activemq.client import BrokerClient
from extractors.activemq.records import Records, Unit
from extractors.activemq.survey import Survey
from extractors.activemq.tables import TOPIC, matches
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import key_text
from migrate.core.ports import Chunk, Claim, Container, Control, Population

PLUGIN, NONE = "plugin", "none"


class BrowseStore:
    """The queues of one broker. Every call connects, browses whole queues and disconnects.

    A source's `from` is `queue://NAME`, a beginning of this and `*`, or `*`. What a population
    seals is which messages there were: those that others take later are missing from a read, new
    ones are left out wherever in a queue they come. Options: see `about`. Raises LegacyUnreadable
    for whatever the broker will not do, and for a browse that ended too soon.
    """

    about = BROWSE

    def __init__(self, spec: StoreSpec) -> None:
        self._spec = spec
        self._address = address_of(spec)
        self._statistics = dict(spec.options).get("statistics")

    def can_write(self) -> str | None:
        """Always: the right to browse a queue is, in ActiveMQ, the right to consume from it."""
        return "ActiveMQ gives who may browse a queue the right to consume from it"

    def inventory(self) -> Sequence[Container]:
        """Every queue; every message is decoded to count what cannot be."""
        with BrokerClient(self._address) as client:
            names = client.queues()
            found = browse(client, names, counted=self._counted)
        with closing(found):
            return [self._container(f"{QUEUE}{name}", found) for name in names]

    def check(self, source: SourceSpec) -> Sequence[str]:
        """What is wrong with a source, each with its key in the plan and a remedy."""
        problems = self._problems(source)
        if not problems:
            with BrokerClient(self._address) as client:
                names = [f"{QUEUE}{name}" for name in client.queues()]
            problems = list(source_problems(source, names))
        return problems

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """Every queue's messages by how many flows claim them. Topics are not seen at all."""
        with BrokerClient(self._address) as client:
            names = client.queues()
            with closing(browse(client, names, counted=self._counted)) as found:
                rows = Counter(seen.container for seen in found.seen)
        lines = []
        for container in (f"{QUEUE}{name}" for name in names):
            flows = tuple(source.flow for source in sources if matches(source.from_, container))
            declared = any(
                fnmatchcase(container, pattern) for pattern, _ in self._spec.out_of_scope
            )
            lines.append(Claim(container, len(flows) + declared, rows[container], flows))
        return lines

    def population(self, source: SourceSpec) -> Population:
        """What a source's queues hold now; `sealed`: a key for every message, in their order.

        Controls: `rows` and `frame_bytes` by browsing; with the broker's statistics its own
        `queue_size`, which counts too what was sent to a queue while it was browsed.
        """
        with closing(self._browsed(source)) as found:
            seen = found.seen
            size = sum(one.size for one in seen)
            query = (
                f"isb-migrate extract activemq-browse {self._address.shown} --from"
                f" '{source.from_}' --option statistics={self._statistics}"
            )
            controls = [
                Control("rows", query, str(len(seen))),
                Control("frame_bytes", f"{query} # bytes of the frames", str(size)),
            ]
            if self._counted:
                asked = "an empty message with a reply-to to ActiveMQ.Statistics.Destination.NAME"
                total = str(sum(found.sizes.values()))
                controls.append(Control("queue_size", f"{asked}: size; of all queues", total))
            high = json.dumps([seen[-1].container, seen[-1].message_id]) if seen else None
            keys = [one.key for one in seen]
            return Population(len(seen), high, tuple(controls), {"messages": keys})

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Chunks in the order of the queues, queue after queue; with a population in its order,
        whatever became of the queues'."""
        mark = None if after is None else _mark(after)
        with closing(self._browsed(source)) as found:
            shared = _shared(found.seen)
            wanted = found.seen
            if population is None:
                order = {one.key: number for number, one in enumerate(wanted)}
            else:
                order = _sealed(population)
                wanted = sorted(
                    (one for one in wanted if one.key in order), key=lambda one: order[one.key]
                )
            if mark is not None:
                if mark not in order:
                    raise _foreign()
                wanted = [one for one in wanted if order[one.key] > order[mark]]
            yield from self._chunks(source, found, wanted, shared, position)

    def table(self, query: str) -> pa.Table:
        """Never: a broker holds no reference tables."""
        raise LegacyUnreadable("a broker holds no reference tables")

    def close(self) -> None:
        """Nothing is open between calls."""

    @property
    def _counted(self) -> bool:
        return self._statistics == PLUGIN

    def _browsed(self, source: SourceSpec) -> Browsed:
        """A source's queues, in order of their names; one that does not exist is not made."""
        problem = next(iter(self._problems(source)), None)
        if problem is not None:
            raise LegacyUnreadable(f'flow "{source.flow}": {problem}', hint="run isb-migrate check")
        with BrokerClient(self._address) as client:
            names = [name for name in client.queues() if matches(source.from_, f"{QUEUE}{name}")]
            return browse(client, names, counted=self._counted)

    def _problems(self, source: SourceSpec) -> list[str]:
        """Without asking the broker."""
        problems = list(source_problems(source, [source.from_]))
        if source.from_.startswith(TOPIC):
            problems.append("from: a topic cannot be browsed; stop the broker and read its store")
        if self._statistics not in (PLUGIN, NONE):
            problems.append(
                "from: a broker ends a browse where its maxBrowsePageSize (400 by default) or its "
                "memory does, and does not say so; say in the store's options statistics = "
                '"plugin" if it runs the StatisticsPlugin, which tells how many there are, or '
                '"none" if that must remain unknown'
            )
        return problems

    def _container(self, name: str, found: Browsed) -> Container:
        mine = [one for one in found.seen if one.container == name]
        survey = Survey(self._max_inflated)
        survey.add(found.frame(one) for one in mine)
        detail = survey.detail() | {"queue_size": found.sizes.get(name)}
        return Container(name, len(mine), sum(one.size for one in mine), detail=detail)

    def _chunks(
        self,
        source: SourceSpec,
        found: Browsed,
        wanted: Sequence[Seen],
        shared: frozenset[str],
        position: int,
    ) -> Iterator[Chunk]:
        records, size = Records(source, self._max_inflated), 0
        for number, one in enumerate(wanted):
            unit = _unit(one, is_shared=one.message_id in shared)
            records.add(found.frame(one), one.container, [unit], None)
            size += one.size
            following = wanted[number + 1] if number + 1 < len(wanted) else None
            if following is None or self._is_full(len(records), size + following.size):
                rows = len(records)
                yield Chunk(records.table(position), json.dumps({"after": one.key}))
                position, size = position + rows, 0

    def _is_full(self, rows: int, size: int) -> bool:
        """Whether one more message would go beyond the limits of a chunk."""
        return rows + 1 > self._spec.batch_rows or size > self._spec.batch_bytes

    @property
    def _max_inflated(self) -> int:
        text = dict(self._spec.options).get("max_inflated_bytes", str(MAX_INFLATED))
        return int(text) if text.isdecimal() else MAX_INFLATED


def _unit(one: Seen, *, is_shared: bool) -> Unit:
    """By queue and message id; where another message has the same, with what tells them apart."""
    again = [str(one.times)] if one.times > 1 else []
    name = "#".join([one.message_id, one.container, *again]) if is_shared else one.message_id
    return Unit(key_text([one.container, one.message_id, *again]), name)


def _shared(seen: Sequence[Seen]) -> frozenset[str]:
    """Message ids that are there more than once: copies of one message in several queues."""
    counted = Counter(one.message_id for one in seen)
    return frozenset(name for name, times in counted.items() if times > 1)


def _sealed(population: Population) -> dict[str, int]:
    """The place of every sealed message. Raises LegacyUnreadable for another kind's population."""
    keys = population.sealed.get("messages")
    if not isinstance(keys, list):
        raise LegacyUnreadable("the population is none of a live broker", hint="start a new run")
    return {key: number for number, key in enumerate(keys)}


def _mark(after: str) -> str:
    try:
        key = json.loads(after)["after"]
    except (ValueError, TypeError, KeyError):
        raise _foreign() from None
    if not isinstance(key, str):
        raise _foreign()
    return key


def _foreign() -> LegacyUnreadable:
    return LegacyUnreadable(
        "the checkpoint is none of this source, or its message was taken by somebody since",
        hint="start a new run",
    )
