"""What the bus must have against what it has, piece by piece."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from migrate.core.ports import Piece

State = Literal["same", "missing", "differs", "further"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A piece. `settings`: of one that differs, by name what is wanted and what is there (None:
    nothing is said); of others, of the side that there is, under that side."""

    state: State
    kind: str
    name: str
    settings: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)


def compare_pieces(wanted: Sequence[Piece], present: Sequence[Piece]) -> list[Compared]:
    """Wanted pieces in their order, then what else bears our names."""
    there = {(piece.kind, piece.name): piece for piece in present}
    found = [_compared(piece, there.pop((piece.kind, piece.name), None)) for piece in wanted]
    further = [_settings("further", piece, None, piece) for piece in there.values()]
    return found + further


def _compared(piece: Piece, there: Piece | None) -> Compared:
    if there is None:
        return _settings("missing", piece, piece, None)
    if dict(piece.settings) == dict(there.settings):
        return _settings("same", piece, piece, there)
    return _settings("differs", piece, piece, there)


def _settings(state: State, named: Piece, wanted: Piece | None, there: Piece | None) -> Compared:
    left, right = (dict(each.settings) if each else {} for each in (wanted, there))
    pairs = {name: (left.get(name), right.get(name)) for name in {**left, **right}}
    if state == "differs":
        pairs = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Compared(state, named.kind, named.name, pairs)
