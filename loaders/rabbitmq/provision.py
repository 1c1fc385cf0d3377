"""Make exchanges, queues and bindings exist, idempotently; what differs is refused, never altered.

Bindings can be read by the management API only. Without it, whether a queue or exchange is as it
has to be is asked by declaring it once more, which a broker answers without changing anything.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.hints import hint_for
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.management import Described, Management
from loaders.rabbitmq.queues import bind, depth, has_exchange, make_exchange, make_queue
from loaders.rabbitmq.topology import TOPIC, Queue, exchanges, queues, ramps
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Piece

_TYPE = "x-queue-type"
_HINT = "look at its url, whether it runs, and the account's rights"
_HINTS = {403: "the account needs the right to configure, write and read our names"}
_DIFFERS = {"differs": "from what is wanted"}
_UNSEEN = {"seen": "no: only the management API shows bindings"}


class Provisioner:
    """The topology of `loaders.rabbitmq.topology` on one virtual host."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._address = address_of(spec)
        found = ramps(spec, self._address, offramps)
        self._exchanges = exchanges(self._address, found)
        self._queues = list(queues(self._address, found))
        self._names = tuple(f"{name}." for name in found)

    def wanted(self) -> Sequence[Piece]:
        """Exchanges, then each queue with its bindings."""
        return [
            *(_exchange(name) for name in self._exchanges),
            *(piece for queue in self._queues for piece in _pieces(queue)),
        ]

    def present(self) -> Sequence[Piece]:
        """What is there, as it is there; with the management API also whatever else is bound to
        our exchanges or named after our off-ramps. Raises BusRefused."""
        with self._refusing():
            if self._address.management is None:
                with closing(Link(self._address, "provisioning")) as link:
                    return list(self._declared(link))
            with closing(Management(self._address)) as management:
                return list(self._described(management))

    def provision(self) -> None:
        """Make what is missing. Raises BusRefused for what differs, for an alternate exchange,
        and where the account may not do it."""
        with self._refusing(), closing(Link(self._address, "provisioning")) as link:
            missing = self._missing()
            for name in self._exchanges:
                if _exchange(name) in missing and not make_exchange(link, name):
                    raise self._differs("exchange", name)
            for queue in self._queues:
                self._provide(link, queue, missing)
        self._refuse_alternate()

    def close(self) -> None:
        """Nothing is held open."""

    def _provide(self, link: Link, queue: Queue, missing: Sequence[Piece]) -> None:
        piece, *bindings = _pieces(queue)
        if piece in missing and not make_queue(link, queue):
            raise self._differs("queue", queue.name)
        if any(binding in missing for binding in bindings):
            bind(link, queue)

    def _missing(self) -> Sequence[Piece]:
        """What is to be made: all of it, where nobody says what is there."""
        wanted = self.wanted()
        if self._address.management is None:
            return wanted
        present = self.present()
        for piece in wanted:
            others = [one for one in present if (one.kind, one.name) == (piece.kind, piece.name)]
            if others and piece not in others:
                raise self._differs(piece.kind, piece.name)
        return [piece for piece in wanted if piece not in present]

    def _refuse_alternate(self) -> None:
        """What cannot be routed must come back: an alternate exchange would swallow it."""
        if self._address.management is None:
            return
        with self._refusing(), closing(Management(self._address)) as management:
            if management.has_alternate(self._address.exchange):
                raise BusRefused(
                    f'the exchange "{self._address.exchange}" has an alternate exchange: what no '
                    "queue is bound for would be taken there, and confirmed",
                    hint="take the policy away, or name another exchange: options.exchange",
                )

    def _declared(self, link: Link) -> Iterator[Piece]:
        for name in self._exchanges:
            if has_exchange(link, name):
                same = make_exchange(link, name)
                yield _exchange(name) if same else Piece("exchange", name, _DIFFERS)
        for queue in self._queues:
            if depth(link, queue.name) is not None:
                piece, *bindings = _pieces(queue)
                same = make_queue(link, queue)
                yield piece if same else Piece("queue", queue.name, _DIFFERS)
                yield from (Piece("binding", one.name, _UNSEEN) for one in bindings)

    def _described(self, management: Management) -> Iterator[Piece]:
        there = management.exchanges()
        for name in self._exchanges:
            if name in there:
                yield _as_it_is("exchange", there[name])
        ours = {queue.name for queue in self._queues}
        for name, queue in sorted(management.queues().items()):
            if name in ours or name.startswith(self._names):
                yield _as_it_is("queue", queue)
        for exchange in self._exchanges:
            for found in sorted(management.bindings(exchange)):
                yield _binding(found.exchange, found.key, found.queue)

    def _differs(self, kind: str, name: str) -> BusRefused:
        return BusRefused(
            f'the {kind} "{name}" of the bus "{self._spec.name}" is there and differs from what '
            "the plan wants; nothing was altered",
            hint="compare type, durability and arguments; rename the off-ramp, set the plan's "
            f"options to what is there, or remove the {kind} once it is empty",
        )

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except LinkLost as lost:
            raise BusRefused(
                f'the bus "{self._spec.name}" at {self._address.shown} {lost}',
                hint=hint_for(lost, _HINTS, _HINT),
            ) from None


def _pieces(queue: Queue) -> list[Piece]:
    """A queue, then its bindings."""
    described = Described(queue.name, queue.type, durable=True, arguments=queue.arguments)
    bindings = [_binding(queue.exchange, key, queue.name) for key in queue.keys]
    return [_as_it_is("queue", described), *bindings]


def _exchange(name: str) -> Piece:
    return _as_it_is("exchange", Described(name, TOPIC, durable=True, arguments={}))


def _as_it_is(kind: str, found: Described) -> Piece:
    arguments = {name: str(value) for name, value in found.arguments.items() if name != _TYPE}
    settings = {"type": found.type, "durable": str(found.durable).lower()}
    return Piece(kind, found.name, settings | arguments)


def _binding(exchange: str, key: str, queue: str) -> Piece:
    return Piece("binding", f"{exchange} -> {queue}: {key}", {"key": key})
