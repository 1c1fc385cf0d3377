"""What the broker said of each delivery under way: acknowledged, refused, returned.

Acknowledgements come in any order and for several at once; a return comes before the
acknowledgement of the same delivery, which then means nothing. Returns are told by routing key and
message id, the first that is under way where some have both alike.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from loaders.rabbitmq import wire
from loaders.rabbitmq.decode import message_id_of
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.wire import Reader
from migrate.core.ports import Receipts

_OPEN, _TAKEN, _REFUSED = range(3)
_STATES = {wire.ACK: _TAKEN, wire.NACK: _REFUSED}
RETURNED = "returned: no queue is bound for it, or nobody leads that queue"
REFUSED = "refused: a queue of it is full or failed"

Key = tuple[str, str]
"""Routing key and message id."""


class Untold(LinkLost):
    """The broker answers for what was not sent: nothing it says can be believed any more."""

    def __init__(self) -> None:
        super().__init__("answered for what was not sent to it")


@dataclass(slots=True)
class Flying:
    """A window under way, and what is known of each of its deliveries.

    `first`: the delivery tag of the first one; `places`: where each of those sent is in the
    window of so many `rows`; `key`: what a delivery at a place is told by; `problems`: why those
    that were not sent were not, by place.
    """

    first: int
    key: Callable[[int], Key]
    places: Sequence[int]
    rows: int
    problems: Mapping[int, str]
    open: int = field(init=False)
    _states: bytearray = field(init=False)
    _back: set[int] = field(default_factory=set)
    _waiting: dict[Key, deque[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.open = len(self.places)
        self._states = bytearray(self.open)

    def answer(self, start: int, end: int, state: int) -> int:
        """Settle what is open of a range of deliveries; how many that were."""
        count = self._states.count(_OPEN, start, end)
        if count:
            answered = self._states[start:end].replace(bytes([_OPEN]), bytes([state]))
            self._states[start : start + len(answered)] = answered
            self.open -= count
        return count

    def comes_back(self, key: Key) -> bool:
        """Note that a delivery was returned; whether it was under way here."""
        if not self._waiting:
            for at, place in enumerate(self.places):
                self._waiting.setdefault(self.key(place), deque()).append(at)
        queue = self._waiting.get(key, ())
        while queue:
            at = queue.popleft()
            if self._states[at] == _OPEN:
                self._back.add(at)
                return True
        return False

    def receipts(self) -> Receipts:
        """Of every delivery of the window; RabbitMQ says of none where it lies."""
        confirmed = [False] * self.rows
        problems = dict(self.problems)
        for at, place in enumerate(self.places):
            if at in self._back:
                problems[place] = RETURNED
            elif self._states[at] == _TAKEN:
                confirmed[place] = True
            else:
                problems[place] = REFUSED
        return Receipts(confirmed, [None] * self.rows, problems)


class Confirms:
    """All windows under way on one channel, in the order in which they were sent.

    Frames may be handed in by another thread than that which sends.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.windows: deque[Flying] = deque()
        self.answered = 0
        """Deliveries that were answered so far."""
        self._next = 1
        self._return: _Returned | None = None

    def add(
        self,
        key: Callable[[int], Key],
        places: Sequence[int],
        rows: int,
        problems: Mapping[int, str],
    ) -> None:
        """Note a window about to be sent."""
        with self._lock:
            self.windows.append(Flying(self._next, key, places, rows, problems))
            self._next += len(places)

    def landed(self) -> bool:
        """Whether the oldest window is answered whole."""
        return not self.windows or self.windows[0].open == 0

    def land(self) -> Receipts:
        """What was said of the oldest window, which is under way no more."""
        with self._lock:
            return self.windows.popleft().receipts()

    def handle(self, kind: int, payload: bytes) -> None:
        """Take a frame of the channel. Raises Untold."""
        with self._lock:
            self._handle(kind, payload)

    def _handle(self, kind: int, payload: bytes) -> None:
        if kind == wire.METHOD:
            self._method(payload)
            return
        if self._return is None:
            raise Untold
        if self._return.is_whole_with(kind, payload):
            key = (self._return.key, self._return.message_id)
            self._return = None
            if not any(window.comes_back(key) for window in self.windows):
                raise Untold

    def _method(self, payload: bytes) -> None:
        method, reader = wire.method_of(payload), Reader(payload)
        if method == wire.RETURN:
            _, _, _ = reader.short(), reader.shortstr(), reader.shortstr()  # code, text, exchange
            self._return = _Returned(reader.shortstr())
        elif method in _STATES:
            tag, multiple = reader.longlong(), bool(reader.octet() & 1)
            self._settle(tag, _STATES[method], multiple=multiple)

    def _settle(self, tag: int, state: int, *, multiple: bool) -> None:
        """Note the answer for one delivery, or for all that are open up to it (0: for all)."""
        if tag >= self._next or (tag == 0 and not multiple):
            raise Untold
        last = tag or self._next - 1
        for window in self.windows:
            at = last - window.first
            if at < 0:
                break
            self.answered += window.answer(0 if multiple else at, at + 1, state)


@dataclass(slots=True)
class _Returned:
    """A message on its way back."""

    key: str
    message_id: str = ""
    _left: int = 0

    def is_whole_with(self, kind: int, payload: bytes) -> bool:
        """Take its header or a part of its body; whether that was the last."""
        if kind == wire.HEADER:
            self._left = int.from_bytes(payload[4:12], "big")
            self.message_id = message_id_of(payload) or ""
        else:
            self._left -= len(payload)
        return self._left <= 0
