"""Queues and bindings for each off-ramp and lane, as a broker has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from migrate.core.errors import BusRefused
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Piece


class Provisioner:
    """`url`: the file. Pieces of it that begin with `isb.` bear our names."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._file = Path(spec.url)
        self._offramps = offramps

    def wanted(self) -> Sequence[Piece]:
        pieces = [Piece("exchange", "isb.out", {"type": "topic"})]
        for ramp in sorted(self._offramps):
            for lane in LANES:
                name = f"isb.{ramp}.{lane}"
                pieces.append(Piece("queue", name, {"type": "quorum", "durable": "true"}))
                pieces.append(Piece("binding", name, {"key": f"{ramp}.{lane}"}))
        return pieces

    def present(self) -> Sequence[Piece]:
        return [Piece(*each) for each in self._held() if each[1].startswith("isb.")]

    def provision(self) -> None:
        there = {(kind, name): settings for kind, name, settings in self._held()}
        for piece in self.wanted():
            held = there.setdefault((piece.kind, piece.name), dict(piece.settings))
            if held != dict(piece.settings):
                raise BusRefused(f"{piece.name} differs")
        held = [[kind, name, settings] for (kind, name), settings in there.items()]
        self._file.write_text(json.dumps(held))

    def close(self) -> None: ...

    def _held(self) -> list[tuple[str, str, dict[str, str]]]:
        if not self._file.exists():
            return []
        return [tuple(each) for each in json.loads(self._file.read_text())]
