"""Intents and receipts of loading, on the framed log: what this tool knows of the bus's side.

A window's intent is on disk before its first byte goes out; its receipt follows
the bus's answer. A window with an intent and no receipt is in doubt.

    intent  (kind I) {"window", "flow", "batch", "lane", "mark", "ordinals": [whole],
                      "destinations": [text], "ids": [text]}
    receipt (kind R) {"window", "flow", "batch", "lane", "at", "outcomes", "positions": [text|null]}

Outcomes are one letter a delivery: c confirmed, d left in doubt, o open (not on
the bus, or to be offered again), - as it was. The mark is the bus's own, for when it
is asked what became of the window.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import from_json, to_json

from migrate.core.clock import rfc3339
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.run.journal import Frame, Journal, read, read_at

INTENT, RECEIPT = b"I", b"R"
CONFIRMED, IN_DOUBT, OPEN, AS_BEFORE = "c", "d", "o", "-"
_OPEN, _CONFIRMED, _IN_DOUBT, _AS_BEFORE = range(4)
_CODES = bytes.maketrans(f"{OPEN}{CONFIRMED}{IN_DOUBT}{AS_BEFORE}".encode(), bytes(range(4)))

_RECENT = 32
"""Answers that are kept besides: most batches are written down soon after their last window."""

Place = tuple[str, int, str]
"""flow, batch, lane"""


@dataclass(frozen=True, slots=True)
class Intent:
    """A window as it was offered; a delivery is its ordinal, its destination and its message id."""

    window: int
    place: Place
    ordinals: Sequence[int]
    destinations: Sequence[str]
    ids: Sequence[str]
    mark: str | None = None

    def __len__(self) -> int:
        return len(self.ordinals)


@dataclass(frozen=True, slots=True)
class Answer:
    """A window with what became of each of its deliveries."""

    intent: Intent
    outcomes: str
    positions: list[str | None]
    at: str


class Track:
    """What became of each delivery of one lane of one batch: a byte each, none once all is done."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._states = np.zeros(total, np.uint8)
        self.confirmed = 0
        self.in_doubt = 0

    def settle(self, ordinals: Sequence[int], outcomes: str) -> None:
        """Note what became of some deliveries, each named once. Raises CouldNotVerify for one the
        batch does not have."""
        places = np.asarray(ordinals, np.int64)
        if places.size and int(places.max()) >= self._total:
            raise CouldNotVerify(
                "the load log names a delivery that its batch does not have",
                hint="ledger.db and receipts/load.log are not of one state; put back true copies",
            )
        if self.confirmed == self._total:
            return
        after = np.frombuffer(outcomes.encode().translate(_CODES), np.uint8)
        told = after != _AS_BEFORE
        self._note(places[told], after[told])

    def wanted(self) -> list[int]:
        """The ordinals of the deliveries still to be offered, rising."""
        return [] if self.open == 0 else np.flatnonzero(self._states == _OPEN).tolist()

    def doubts(self, ordinal: int) -> bool:
        """Whether a delivery was left in doubt."""
        return self.in_doubt > 0 and bool(self._states[ordinal] == _IN_DOUBT)

    @property
    def open(self) -> int:
        """Deliveries still to be offered."""
        return self._total - self.confirmed - self.in_doubt

    def _note(self, places: np.ndarray, after: np.ndarray) -> None:
        before = self._states[places]
        self._states[places] = after
        self.confirmed += _count(after, _CONFIRMED) - _count(before, _CONFIRMED)
        self.in_doubt += _count(after, _IN_DOUBT) - _count(before, _IN_DOUBT)
        if self.confirmed == self._total:
            self._states = np.zeros(0, np.uint8)


class LoadLog:
    """The log of one run, read from its beginning when opened."""

    def __init__(self, path: Path, run_id: str, counts: Mapping[Place, int | None]) -> None:
        """Take up the log at `path`, or begin one.

        `counts`: deliveries of each lane of each batch; None for those of a
        batch that is loaded and needs no looking after. Raises JournalDamaged.
        """
        self._path = path
        self._counts = counts
        self._tracks: dict[Place, Track] = {}
        self._forgotten: set[tuple[str, int]] = set()
        self._intents: list[int] = []
        self._answers: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._unanswered: dict[int, Intent] = {}
        self._doubtful: set[int] = set()
        self._recent: dict[int, Answer] = {}  # by the offset of the receipt
        if path.exists():
            for frame in read(path, run_id):
                self._recover(frame)
            self._journal = Journal.reopen(path, run_id)
        else:
            self._journal = Journal.create(path, run_id)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def track(self, place: Place) -> Track:
        """What became of one lane of one batch that is not loaded yet."""
        if place not in self._tracks:
            total = 0 if place[:2] in self._forgotten else self._counts.get(place)
            self._tracks[place] = Track(total or 0)
        return self._tracks[place]

    def intend(
        self,
        place: Place,
        ordinals: Sequence[int],
        destinations: Sequence[str],
        ids: Sequence[str],
        mark: str | None = None,
    ) -> Intent:
        """Write down what is about to be offered; on disk when this returns."""
        intent = Intent(len(self._intents), place, ordinals, destinations, ids, mark)
        payload = {"mark": mark, "ordinals": ordinals, "destinations": destinations, "ids": ids}
        self._intents += self._journal.append([(INTENT, _json(intent, payload))], event="intent")
        self._unanswered[intent.window] = intent
        return intent

    def receive(self, intent: Intent, outcomes: str, positions: Sequence[str | None]) -> None:
        """Write down what became of a window; on disk when this returns."""
        if not len(outcomes) == len(positions) == len(intent):
            raise BusRefused("the bus did not answer for every delivery of a window")
        answer = Answer(intent, outcomes, list(positions), rfc3339(datetime.now(UTC)))
        payload = {"at": answer.at, "outcomes": outcomes, "positions": answer.positions}
        (offset,) = self._journal.append([(RECEIPT, _json(intent, payload))], event="receipt")
        self._settle(intent, outcomes, offset)
        self._recent[offset] = answer
        if len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]

    def unresolved(self) -> list[Intent]:
        """Every window that has no receipt, or a delivery that was left in doubt."""
        windows = sorted({*self._unanswered, *self._doubtful})
        return [
            self._unanswered.get(window) or self._intent(self._intents[window])
            for window in windows
        ]

    def doubts(self, intent: Intent) -> list[int]:
        """Those deliveries of such a window that are in doubt, by their place in it."""
        if intent.window in self._unanswered:
            return list(range(len(intent)))
        track = self.track(intent.place)
        return [at for at, ordinal in enumerate(intent.ordinals) if track.doubts(ordinal)]

    @property
    def in_doubt(self) -> int:
        """Deliveries of which nobody knows whether the bus has them."""
        unanswered = sum(len(intent) for intent in self._unanswered.values())
        return unanswered + sum(track.in_doubt for track in self._tracks.values())

    @property
    def open(self) -> int:
        """Deliveries still to be offered."""
        places = [place for place, count in self._counts.items() if count is not None]
        return sum(self.track(place).open for place in places)

    def answers(self, flow: str, batch: int) -> Iterator[Answer]:
        """Everything the log says about a batch, in its order; later answers hold."""
        for at_intent, at_receipt in self._answers.get((flow, batch), []):
            recent = at_receipt in self._recent
            yield self._recent.pop(at_receipt) if recent else self._answer(at_intent, at_receipt)

    def forget(self, flow: str, batch: int) -> None:
        """A loaded batch needs no looking after any more."""
        self._forgotten.add((flow, batch))
        self._answers.pop((flow, batch), None)
        for place in [place for place in self._tracks if place[:2] == (flow, batch)]:
            del self._tracks[place]

    def _recover(self, frame: Frame) -> None:
        content = from_json(frame.payload)
        window, place = content["window"], _place(content)
        if frame.kind == INTENT:
            self._intents.append(frame.offset)
        if self._counts.get(place, 0) is None:
            return
        if frame.kind == INTENT:
            self._unanswered[window] = _intent(content)
        else:
            intent = self._unanswered.get(window) or self._intent(self._intents[window])
            self._settle(intent, content["outcomes"], frame.offset)

    def _settle(self, intent: Intent, outcomes: str, offset: int) -> None:
        self.track(intent.place).settle(intent.ordinals, outcomes)
        self._unanswered.pop(intent.window, None)
        if IN_DOUBT in outcomes:
            self._doubtful.add(intent.window)
        else:
            self._doubtful.discard(intent.window)
        pairs = self._answers.setdefault(intent.place[:2], [])
        pairs.append((self._intents[intent.window], offset))

    def _answer(self, at_intent: int, at_receipt: int) -> Answer:
        receipt = from_json(read_at(self._path, at_receipt))
        return Answer(
            self._intent(at_intent), receipt["outcomes"], receipt["positions"], receipt["at"]
        )

    def _intent(self, offset: int) -> Intent:
        return _intent(from_json(read_at(self._path, offset)))


def _place(content: dict[str, Any]) -> Place:
    return content["flow"], content["batch"], content["lane"]


def _intent(content: dict[str, Any]) -> Intent:
    columns = (content[name] for name in ("ordinals", "destinations", "ids", "mark"))
    return Intent(content["window"], _place(content), *columns)


def _json(intent: Intent, rest: dict[str, Any]) -> bytes:
    flow, batch, lane = intent.place
    head = {"window": intent.window, "flow": flow, "batch": batch, "lane": lane}
    return to_json({**head, **rest})


def _count(states: np.ndarray, state: int) -> int:
    return int(np.count_nonzero(states == state))
