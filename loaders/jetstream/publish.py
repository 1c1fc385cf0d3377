"""The one ordered writer of a run: windows out in one piece, an answer for every delivery.

On an exclusive off-ramp every message names its predecessor (`Nats-Expected-Last-Msg-Id`; the
first one the stream's last sequence), so that what is not taken takes all behind it along, and
nobody can slip in between. On a shared one loading keeps one delivery of an order key under way.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from loaders.jetstream.answers import Answer, UnderWay, answer_of
from loaders.jetstream.api import Stream
from loaders.jetstream.connect import Session, behind, position, translated
from loaders.jetstream.envelopes import read
from loaders.jetstream.frames import frames
from loaders.jetstream.headers import delivery_ids
from loaders.jetstream.options import Ramp, access, layout
from loaders.jetstream.read import stored
from loaders.jetstream.wire import Delivered, WireError
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import WINDOW, Window


class _Chain:
    """Where an off-ramp's stream stands, as far as we know it."""

    def __init__(self, stream: Stream) -> None:
        self.created = stream.created
        self.known = stream.last  # nothing that is under way lies at or before it
        self.last_id: str | None = None  # what the next message names; None: `known` is expected
        self.seen = False  # whether `known` is where a doubt was resolved


class Publisher:
    """Publishes windows in order, several under way."""

    window = WINDOW
    in_flight = 4

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises BusRefused where the bus or a stream is not there, UsageError for options."""
        self._spec, self._access = spec, access(spec)
        self._ramps = layout(spec, offramps).ramps
        self.rejects_successors = all(ramp.exclusive for ramp in self._ramps.values())
        self._under_way: deque[UnderWay] = deque()
        self._broken: set[str] = set()
        self._sent = 0
        with self._refusing():
            self._session = Session(self._access)
            try:
                self._chains = {to: _Chain(self._stream(ramp)) for to, ramp in self._ramps.items()}
            except BaseException:
                self._session.close()
                raise

    def mark(self, window: Window) -> str:
        """How far each stream of a window is known to be without it."""
        chains = {to: self._chains[to] for to in sorted(set(window.destinations))}
        ends = {to: position(chain.known, chain.created) for to, chain in chains.items()}
        return json.dumps(ends, separators=(",", ":"))

    def send(self, window: Window) -> None:
        """Everything of a window that is not too large for the server, in one piece."""
        with self._refusing():
            self._be_connected()
            ids = delivery_ids(window)
            link, first = self._session.link, self._sent
            rendered = frames(
                window,
                self._control(window, ids),
                self._subjects(window),
                lambda place: f"{link.acks}.{first + place}",
                link.max_payload,
            )
            streams = [self._ramps[to].stream for to in window.destinations]
            way = UnderWay(window, ids, streams, first)
            for place, size in rendered.too_large.items():
                way.refuse(place, f"too large ({size} bytes with headers, {link.max_payload} go)")
            self._under_way.append(way)
            self._sent += len(window)
            link.send([rendered.wire])

    def receipts(self) -> Receipts:
        """What the streams said of the oldest window, once they have said it of all of it."""
        with self._refusing():
            way = self._under_way[0]
            self._take(self._session.link.poll())
            while way.waiting:
                self._take(self._session.link.wait())
            for place, answer in way.repeats():
                self._settle_repeat(way, place, answer)
        self._under_way.popleft()
        self._learn(way)
        return way.receipts()

    def resolve(self, window: Window, mark: str | None, since: Mapping[str, str]) -> Receipts:
        """Which deliveries of a window lie behind its mark, as they were sent."""
        marked: Mapping[str, str] = json.loads(mark) if mark else since
        ids = delivery_ids(window)
        wanted = {name: place for place, name in enumerate(ids)}
        way = UnderWay(window, ids, [self._ramps[to].stream for to in window.destinations])
        with self._refusing():
            for to in sorted(set(window.destinations)):
                self._find(self._ramps[to], marked.get(to), wanted, way)
        for place in range(len(window)):
            if way.sequences[place] is None:
                way.refuse(place, "absent")
        return way.receipts()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _control(self, window: Window, ids: Sequence[str]) -> list[str]:
        """The header lines for the server: who each message is, and what it expects."""
        lines: list[str] = []
        for to, name in zip(window.destinations, ids, strict=True):
            ramp = self._ramps[to]
            chain = self._chains[to]
            if not ramp.exclusive:
                expected = f"Nats-Expected-Stream: {ramp.stream}"
            elif chain.last_id is not None:
                expected = f"Nats-Expected-Last-Msg-Id: {chain.last_id}"
            else:
                expected = (
                    f"Nats-Expected-Stream: {ramp.stream}\r\n"
                    f"Nats-Expected-Last-Sequence: {chain.known}"
                )
            chain.last_id = name
            lines.append(f"Nats-Msg-Id: {name}\r\n{expected}\r\n")
        return lines

    def _subjects(self, window: Window) -> list[str]:
        subjects = {
            to: f"{self._ramps[to].subject}.{window.lane}" for to in set(window.destinations)
        }
        return [subjects[to] for to in window.destinations]

    def _be_connected(self) -> None:
        """While nothing is under way, a connection that was lost can be had anew."""
        try:
            self._take(self._session.link.poll())
        except WireError:
            if self._under_way:
                raise
            self._session.close()
            self._session = Session(self._access)
            for chain in self._chains.values():
                chain.last_id = None  # a server that was restarted need not remember it

    def _take(self, messages: Sequence[Delivered]) -> None:
        """Note what is answered; answers bear their delivery's number."""
        start = len(self._session.link.acks) + 1
        for message in messages:
            number = message.subject[start:]
            if number.isdigit():
                place = int(number)
                for way in self._under_way:
                    if way.first <= place < way.end:
                        way.take(place - way.first, answer_of(message))
                        break

    def _settle_repeat(self, way: UnderWay, place: int, answer: Answer) -> None:
        """A repeat is confirmed where what lies there is this very delivery."""
        assert answer.sequence is not None  # else it is no repeat
        found = self._session.api.message(answer.stream, answer.sequence)
        if found is not None and self._is(way, place, *found):
            way.confirm(place, answer.sequence)
        else:
            way.refuse(place, "taken for a repeat of a message that is another")

    def _learn(self, way: UnderWay) -> None:
        """How far the streams have got; after a refusal they are begun with again, once nothing
        is under way that names what was refused."""
        for to, sequence in zip(way.window.destinations, way.sequences, strict=True):
            if sequence is not None and sequence > self._chains[to].known:
                self._chains[to].known = sequence
        self._broken.update(way.window.destinations[place] for place in way.problems)
        if not self._under_way:
            for to in self._broken:
                self._chains[to].last_id = None
            self._broken.clear()

    def _find(self, ramp: Ramp, mark: str | None, wanted: Mapping[str, int], way: UnderWay) -> None:
        """Confirm what lies behind the mark. What is sent next expects the stream as it is seen
        here, so that nothing of ours that is still on its way can come in behind our back."""
        stream = self._stream(ramp)
        link, api = self._session.link, self._session.api
        for messages in stored(link, api, stream, behind(mark, stream.created)):
            for one in messages:
                place = wanted.get(read(one.headers).delivery or "")
                if place is not None and self._is(way, place, one.subject, one.headers, one.body):
                    way.confirm(place, one.sequence)
        chain = self._chains[ramp.destination]
        if not chain.seen:
            chain.seen, chain.known = True, stream.last

    def _is(self, way: UnderWay, place: int, subject: str, headers: bytes, body: bytes) -> bool:
        """Whether a stored message is this delivery, to the byte."""
        window = way.window
        ramp = self._ramps[window.destinations[place]]
        text, name = read(headers)
        return (
            subject == f"{ramp.subject}.{window.lane}"
            and name == way.ids[place]
            and body == window.bodies[place].as_py()
            and text == way.text(place)
        )

    def _stream(self, ramp: Ramp) -> Stream:
        stream = self._session.api.stream(ramp.stream)
        if stream is None:
            raise BusRefused(
                f'the bus "{self._spec.name}" has no stream {ramp.stream} '
                f'for the off-ramp "{ramp.destination}"',
                hint="provision it: the same names, subjects and limits as before",
            )
        return stream

    def _refusing(self) -> AbstractContextManager[None]:
        return translated(self._spec.name, "does not take messages", BusRefused)
