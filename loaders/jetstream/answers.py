"""What JetStream answers for each delivery, and what that means.

A confirmation is a PubAck: the message is in the stream under that sequence. An error or no
responder means that it is not. `duplicate` means that the server took it for a repeat of an
earlier one: whether it is, has to be looked at.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from loaders.jetstream.wire import Delivered
from migrate.core.ports import Receipts
from migrate.core.window import Window
from migrate.formats.headers import window_texts

_CONFIRMED = re.compile(rb'\{"stream":"([^"\\]+)",(?:"domain":"[^"\\]*",)? ?"seq":(\d+)\}')
_NO_RESPONDERS = b"NATS/1.0 503"
_PROBLEMS = {
    10023: "refused: the server is short of resources",
    10054: "larger than the stream takes",
    10060: "unroutable: its subject belongs to another stream",
    10070: "refused behind one that was not taken, or that a stranger wrote",
    10071: "refused: the stream does not end where it did, somebody else writes to it",
    10077: "refused: the stream is full or cannot store it",
    10097: "refused: its headers are larger than the 64 KiB that JetStream takes",
    10158: "refused: the same message is being stored",
}
_SOME_WAYS = "refused (JetStream error {})"


class Answer(NamedTuple):
    """`sequence`: where it lies; None where it is not taken, then `problem` says why."""

    stream: str
    sequence: int | None
    problem: str | None = None
    repeat: bool = False


def answer_of(message: Delivered) -> Answer:
    """Read the answer for one delivery."""
    plain = _CONFIRMED.fullmatch(message.body)
    if plain:
        return Answer(plain[1].decode(), int(plain[2]))
    if message.headers.startswith(_NO_RESPONDERS):
        return Answer("", None, "unroutable: no stream takes its subject")
    try:
        return _unusual(json.loads(message.body))
    except (ValueError, AttributeError, TypeError):
        return Answer("", None, "answered by something that is no JetStream")


def _unusual(content: dict[str, Any]) -> Answer:
    error = content.get("error")
    if error:
        code = int(error.get("err_code", 0))
        return Answer("", None, _PROBLEMS.get(code, _SOME_WAYS.format(code)))
    repeat = bool(content.get("duplicate"))
    return Answer(str(content.get("stream", "")), int(content.get("seq", "")), None, repeat)


class UnderWay:
    """A window that was sent, and what is known of each of its deliveries."""

    def __init__(
        self, window: Window, ids: Sequence[str], streams: Sequence[str], first: int = 0
    ) -> None:
        """`ids`: each delivery's `Nats-Msg-Id`; `streams`: the stream it belongs in; `first`: the
        number of the first one."""
        self.window, self.ids, self._streams = window, ids, streams
        self.first, self.end = first, first + len(window)
        self.waiting = len(window)
        self.sequences: list[int | None] = [None] * len(window)
        self.problems: dict[int, str] = {}
        self._repeats: dict[int, Answer] = {}
        self._answered = bytearray(len(window))
        self._texts: pa.Array | None = None

    def take(self, place: int, answer: Answer) -> None:
        """Note the answer for a delivery; a second one says nothing new."""
        if self._answered[place]:
            return
        if answer.sequence is None:
            self.refuse(place, answer.problem or "refused")
        elif answer.stream != self._streams[place]:
            self.refuse(place, "stored in a stream that is not its off-ramp's")
        elif answer.repeat:
            self._repeats[place] = answer
            self._done(place)
        else:
            self.confirm(place, answer.sequence)

    def confirm(self, place: int, sequence: int) -> None:
        """It lies there, in its stream."""
        self.sequences[place] = sequence
        self._done(place)

    def refuse(self, place: int, problem: str) -> None:
        """It is not taken."""
        self.problems[place] = problem
        self._done(place)

    def repeats(self) -> Iterator[tuple[int, Answer]]:
        """Deliveries that the server took for repeats, each given once."""
        while self._repeats:
            yield self._repeats.popitem()

    def text(self, place: int) -> str:
        """Its envelope as `formats.headers` writes it."""
        if self._texts is None:
            self._texts = window_texts(self.window)
        written: str = self._texts[place].as_py()
        return written

    def receipts(self) -> Receipts:
        """Confirmed is what lies somewhere; a place is `stream:sequence`."""
        places = [
            None if sequence is None else place(stream, sequence)
            for stream, sequence in zip(self._streams, self.sequences, strict=True)
        ]
        return Receipts([one is not None for one in places], places, self.problems)

    def _done(self, place: int) -> None:
        if not self._answered[place]:
            self._answered[place] = 1
            self.waiting -= 1


def place(stream: str, sequence: int) -> str:
    """How a place on the bus is written."""
    return f"{stream}:{sequence}"
