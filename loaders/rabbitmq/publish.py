"""The one ordered writer of a run on RabbitMQ: windows in one piece, several of them under way.

Every message is persistent and mandatory. One that no queue is bound for comes back and is never
confirmed; nor is anything else of which the broker says less than that it took it.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from itertools import compress

from loaders.rabbitmq import wire
from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.confirms import Confirms, Key
from loaders.rabbitmq.encode import Encoder
from loaders.rabbitmq.hints import hint_for
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.management import Management
from loaders.rabbitmq.resolve import Resolver
from loaders.rabbitmq.sight import unbound
from loaders.rabbitmq.stream import floors
from loaders.rabbitmq.topology import ramps
from loaders.rabbitmq.writer import lock
from migrate.core.errors import BusRefused
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import WINDOW, Window

_LOOK_S = 0.25
_AHEAD = 16 * 1024 * 1024
"""Bytes that may wait for the broker while the next window is made ready."""
_log = logging.getLogger("isb-migrate.rabbitmq")


class Publisher:
    """Publishes windows over one channel and takes the broker's confirms."""

    rejects_successors = False
    window = WINDOW
    in_flight = 4

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._address = address = address_of(spec)
        self._ramps = ramps(spec, address, offramps)
        self._confirms = Confirms()
        self._sent: list[Window] = []
        self._floors: dict[str, int] = {}
        self._taken: Counter[str] = Counter()
        self._reading: Link | None = None
        self._management = Management(address) if address.management else None
        with self._refusing():
            self._link = Link(address, "publishing")
            try:
                lock(self._link, address)
                self._channel = self._link.open_channel(self._confirms.handle)
                self._link.ask(self._channel, wire.CONFIRM, wire.CONFIRM_OK, wire.octet(0))
            except BaseException:
                self._link.close()
                raise
        self._encoder = Encoder(
            self._ramps,
            address.exchange,
            self._channel,
            self._link.frame_max,
            address.max_message_bytes,
        )

    def mark(self, window: Window) -> str | None:
        """JSON: the least offset that this window can have on each stream it goes to."""
        destinations = sorted(set(window.destinations))
        streams = {
            name: self._ramps[name].stream(window.lane)
            for name in destinations
            if not self._ramps[name].counted
        }
        if not streams:
            return None
        with self._refusing():
            if not self._floors:
                self._floors = self._all_floors()
        least = {name: self._floors[at] + self._taken[at] for name, at in streams.items()}
        return json.dumps(least, sort_keys=True)

    def send(self, window: Window) -> None:
        """Send a window once no alarm forbids it; what is too large for the bus is not sent.

        Raises BusRefused.
        """
        with self._refusing():
            self._await(lambda: self._link.blocked is None)
            encoded = self._encoder.encode(window, datetime.now(UTC))
            key = partial(self._key, window)
            self._confirms.add(key, encoded.places, len(window), encoded.problems)
            self._sent.append(window)
            for piece in encoded.pieces:
                self._await(lambda: self._link.queued < _AHEAD)
                self._link.write(*piece)

    def receipts(self) -> Receipts:
        """What the broker said of the oldest window. Raises BusRefused, also where a tapped queue
        is no longer bound: its tap alone would have confirmed."""
        with self._refusing():
            self._await(self._confirms.landed)
            window = self._sent[0]
            self._require_bound(window)
            receipts = self._confirms.land()
            self._sent.pop(0)
        taken = Counter(compress(window.destinations, receipts.confirmed))
        for destination, count in taken.items():
            self._taken[self._ramps[destination].stream(window.lane)] += count
        return receipts

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which of a window this very run has brought onto its streams; None where an off-ramp is
        seen by numbers only, or where its tap and its queue have not grown alike."""
        with self._refusing():
            resolver = Resolver(
                self._reader(),
                self._management,
                self._address.exchange,
                self._ramps,
                self._address.timeout_s,
            )
            return resolver.resolve(window, mark, since)

    def close(self) -> None:
        """Let go of every connection."""
        for one in (self._link, self._reading, self._management):
            if one is not None:
                with suppress(LinkLost):
                    one.close()

    def _key(self, window: Window, place: int) -> Key:
        return self._ramps[window.destinations[place]].key(window.lane), window.message_ids[place]

    def _all_floors(self) -> dict[str, int]:
        read = [ramp for ramp in self._ramps.values() if not ramp.counted]
        streams = [ramp.stream(lane) for ramp in read for lane in LANES]
        return floors(self._reader(), streams)

    def _reader(self) -> Link:
        """A second connection: an alarm blocks those that publish."""
        if self._reading is None:
            self._reading = Link(self._address, "asking")
        return self._reading

    def _require_bound(self, window: Window) -> None:
        tapped = [self._ramps[name] for name in set(window.destinations)]
        tapped = [ramp for ramp in tapped if ramp.tapped]
        if not tapped or self._management is None:
            return
        bindings = self._management.bindings(self._address.exchange)
        for ramp in tapped:
            for words in unbound(self._address.exchange, ramp, bindings):
                raise BusRefused(
                    f"{words}: what its tap took is not confirmed",
                    hint="bind it again and run again; what the queue missed stays in doubt",
                )

    def _await(self, done: Callable[[], bool]) -> None:
        """Wait as long as the broker goes on; through an alarm for as long as the plan allows."""
        since, progress = time.monotonic(), self._progress()
        blocked: float | None = None
        while not self._link.wait(self._channel, done, _LOOK_S):
            now = time.monotonic()
            reason = self._link.blocked
            if reason is not None:
                blocked = self._blocked(blocked, reason, now)
                since = now
            elif (found := self._progress()) != progress:
                since, progress, blocked = now, found, None
            elif now - since > self._address.timeout_s:
                raise LinkLost(f"has confirmed nothing for {self._address.timeout_s} s")

    def _blocked(self, since: float | None, reason: str, now: float) -> float:
        """Say that an alarm stops us, once; give up when it lasts too long."""
        if since is None:
            _log.warning(
                'the bus "%s" takes nothing at present (%s); waiting for up to %d s',
                *(self._spec.name, reason, self._address.blocked_s),
            )
            since = now
        if now - since >= self._address.blocked_s:
            raise LinkLost(f"has taken nothing for {self._address.blocked_s} s ({reason})")
        return since

    def _progress(self) -> tuple[int, int]:
        return self._confirms.answered, self._link.queued

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except LinkLost as lost:
            raise BusRefused(
                f'the bus "{self._spec.name}" at {self._address.shown} {lost}',
                hint=hint_for(lost, _HINTS, _HINT),
            ) from None


_HINT = "look whether it runs, and at its log and alarms; the same command goes on"
_HINTS = {
    403: "the account needs the right to write to the exchange and to configure its lock",
    404: "make what is missing again, then run the same command",
    406: "compare the limits and types of the broker with the options of the bus",
}
