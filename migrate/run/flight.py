"""Windows under way: intent on disk, out they go; receipts on disk as the bus answers, in order."""

from collections import Counter, deque
from collections.abc import Sequence

from migrate.core import durable
from migrate.core.errors import BusRefused
from migrate.core.ports import Publisher, Receipts
from migrate.core.window import Window
from migrate.run.loadlog import CONFIRMED, OPEN, Intent, LoadLog, Place
from migrate.run.windows import OrderKey


class Flight:
    """What is under way to the bus; a delivery is settled or in doubt at every moment."""

    def __init__(self, publisher: Publisher, log: LoadLog) -> None:
        self._publisher, self._log = publisher, log
        self._under_way: deque[tuple[Intent, list[OrderKey]]] = deque()
        self._problems: Counter[str] = Counter()
        self.busy: set[OrderKey] = set()
        """Order keys under way: each once, since none of them is offered again meanwhile."""
        self.confirmed = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def send(self, place: Place, ordinals: Sequence[int], window: Window) -> None:
        """Send a window, once there is room for it. Raises BusRefused."""
        self.make_room()
        mark = self._publisher.mark(window)
        ids, destinations = window.message_ids, window.destinations
        intent = self._log.intend(place, ordinals, destinations, ids, mark)
        self._under_way.append((intent, self._take(window)))
        self._publisher.send(window)

    def make_room(self) -> None:
        """Land windows until one more may be sent. Raises BusRefused."""
        while len(self._under_way) >= self._publisher.in_flight:
            self.land()

    def land(self) -> None:
        """Wait for the oldest window and write down what became of it.

        Raises BusRefused where the bus did not take all of it: once nothing is under way any
        more, so that as little as can be is left in doubt.
        """
        if self._under_way:
            self._settle(self._publisher.receipts())
        if self._problems:
            while self._under_way:
                self._settle(self._publisher.receipts())
            raise _not_taken(self._problems)

    def land_all(self) -> None:
        """Wait for everything under way. Raises BusRefused."""
        while self._under_way:
            self.land()

    def _settle(self, receipts: Receipts) -> None:
        durable.made_durable("published")
        intent, keys = self._under_way.popleft()
        outcomes = _outcomes(receipts)
        self._log.receive(intent, outcomes, receipts.positions)
        self.busy.difference_update(keys)
        self.confirmed += outcomes.count(CONFIRMED)
        open_ = (place for place, outcome in enumerate(outcomes) if outcome == OPEN)
        if OPEN in outcomes:
            self._problems.update(receipts.problems.get(place, "refused") for place in open_)

    def _take(self, window: Window) -> list[OrderKey]:
        """The order keys that are busy while this window is under way."""
        if self._publisher.rejects_successors:
            return []
        pairs = zip(window.destinations, window.order_keys, strict=True)
        keys = [(to, key) for to, key in pairs if key is not None]
        self.busy.update(keys)
        return keys


def _outcomes(receipts: Receipts) -> str:
    if all(receipts.confirmed):
        return CONFIRMED * len(receipts.confirmed)
    return "".join(CONFIRMED if taken else OPEN for taken in receipts.confirmed)


def _not_taken(problems: Counter[str]) -> BusRefused:
    words = ", ".join(f"{count} {problem}" for problem, count in sorted(problems.items()))
    return BusRefused(
        f"the bus did not take a whole window: {words}",
        hint="mend its off-ramps and routes; the same command publishes what it did not take",
    )
