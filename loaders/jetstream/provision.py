"""Make a stream for every off-ramp: on disk, never dropping what it took to make room."""

from collections.abc import Mapping, Sequence
from typing import Any

from loaders.jetstream.api import Stream
from loaders.jetstream.connect import Session, translated
from loaders.jetstream.options import Ramp, access, layout
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Piece

_NS = 1_000_000_000
_UNLIMITED = "unlimited"


class Provisioner:
    """Creates streams, idempotently; one that is there and differs is refused, never altered."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises BusRefused where the bus cannot be reached, UsageError for options."""
        self._spec = spec
        self._layout = layout(spec, offramps)
        where = access(spec)
        with translated(spec.name, "cannot be reached", BusRefused):
            self._session = Session(where)

    def wanted(self) -> Sequence[Piece]:
        """A stream an off-ramp."""
        ramps = self._layout.ramps.values()
        return [_piece(ramp.stream, self._config(ramp)) for ramp in ramps]

    def present(self) -> Sequence[Piece]:
        """Every stream that bears one of our names or takes one of our subjects."""
        return [_piece(stream.name, stream.config) for stream in self._present()]

    def provision(self) -> None:
        """Make what is missing. Raises BusRefused for what differs or takes our subjects."""
        self._check()
        there = {piece.name for piece in self.present()}
        with translated(self._spec.name, "cannot be made ready", BusRefused):
            for ramp in self._layout.ramps.values():
                if ramp.stream not in there:
                    self._session.api.ask(f"STREAM.CREATE.{ramp.stream}", self._config(ramp))
        self._check()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _check(self) -> None:
        wanted = {piece.name: piece for piece in self.wanted()}
        for piece in self.present():
            ours = wanted.get(piece.name)
            if ours is None:
                raise BusRefused(
                    f'on the bus "{self._spec.name}" the stream {piece.name} takes '
                    f"{piece.settings['subjects']}, which belong to an off-ramp's own stream",
                    hint="name another prefix for the bus, or take those subjects from it",
                )
            if differences := _differences(ours, piece):
                raise BusRefused(
                    f'on the bus "{self._spec.name}" the stream {piece.name} is not as the plan '
                    f"wants it: {'; '.join(differences)}",
                    hint="edit the stream, or say in the plan what it is like",
                )

    def _present(self) -> Sequence[Stream]:
        api, ramps = self._session.api, self._layout.ramps.values()
        with translated(self._spec.name, "does not show its streams", BusRefused):
            names = {ramp.stream for ramp in ramps}
            names.update(*(api.names(f"{ramp.subject}.*") for ramp in ramps))
            found = [api.stream(name) for name in sorted(names)]
        return [stream for stream in found if stream is not None]

    def _config(self, ramp: Ramp) -> dict[str, object]:
        return {
            "name": ramp.stream,
            "subjects": [f"{ramp.subject}.*"],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "max_age": 0,
            "max_msgs": ramp.max_msgs,
            "max_bytes": ramp.max_bytes,
            "max_msgs_per_subject": -1,
            "max_msg_size": -1,
            "num_replicas": self._layout.replicas,
            "duplicate_window": int(self._layout.duplicates_s * _NS),
        }


def _piece(name: str, config: Mapping[str, Any]) -> Piece:
    """What matters of a stream."""
    words = {
        "subjects": ", ".join(config.get("subjects") or ()),
        "retention": str(config["retention"]),
        "storage": str(config["storage"]),
        "discard": str(config["discard"]),
        "max_age": _seconds(config.get("max_age")),
        **{what: _limit(config.get(what)) for what in _LIMITS},
        "replicas": str(config["num_replicas"]),
        "duplicates": _seconds(config.get("duplicate_window")),
    }
    told = {what: "yes" for what in _UNWANTED if config.get(what)}
    return Piece("stream", name, words | told)


_LIMITS = ("max_msgs", "max_bytes", "max_msgs_per_subject", "max_msg_size")
_UNWANTED = ("no_ack", "sealed", "mirror", "sources", "republish", "subject_transform")
"""What a stream of an off-ramp must not have: each changes what a confirmation means, or what lies
there."""


def _seconds(value: object) -> str:
    return f"{int(str(value)) / _NS:g} s" if value else _UNLIMITED


def _limit(value: object) -> str:
    return _UNLIMITED if value in (None, 0, -1) else str(value)


def _differences(wanted: Piece, present: Piece) -> list[str]:
    names = sorted({*wanted.settings, *present.settings})
    return [
        f"{name} is {present.settings.get(name, 'no')}, not {wanted.settings.get(name, 'no')}"
        for name in names
        if wanted.settings.get(name) != present.settings.get(name)
    ]
