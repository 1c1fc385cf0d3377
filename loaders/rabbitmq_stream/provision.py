"""Make the streams exist, without retention unless the plan asks for it."""

from collections.abc import Mapping, Sequence

from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.connection import Connection
from loaders.rabbitmq_stream.lost import Lost, Refused
from loaders.rabbitmq_stream.management import retentions
from loaders.rabbitmq_stream.settings import Retention, settings_of
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Piece

_HINT = "look at its url, whether it runs with the plugin rabbitmq_stream, and the account's rights"


class Provisioner:
    """Creates a stream for every off-ramp and lane, idempotently; none is ever altered.

    What limits a stream is compared where the bus's options name the management API: the stream
    protocol itself does not tell.
    """

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._settings = settings_of(spec, offramps)

    def wanted(self) -> Sequence[Piece]:
        """The streams, with what limits them."""
        return [self._piece(name, kept) for name, kept in self._settings.retention.items()]

    def present(self) -> Sequence[Piece]:
        """Those of them that there are. What else bears such a name is not told by the bus."""
        try:
            with Connection(self._settings, "looks") as connection:
                codes = connection.metadata(list(self._settings.retention))
        except (Lost, Refused) as error:
            raise self._refused(error) from None
        there = [name for name in codes if codes[name] != frames.NO_STREAM]
        return [self._piece(name, kept) for name, kept in self._kept(there).items()]

    def provision(self) -> None:
        """Create what is missing. Raises BusRefused for a stream that may drop what the plan
        wants kept, or keeps it for another time."""
        try:
            with Connection(self._settings, "provisions") as connection:
                for name, wanted in self._settings.retention.items():
                    _create(connection, name, wanted)
        except (Lost, Refused) as error:
            raise self._refused(error) from None
        for name, found in self._kept(list(self._settings.retention)).items():
            wanted = self._settings.retention[name]
            if found != wanted:
                raise BusRefused(
                    f'the stream "{name}" is limited by {_shown(found)}, and the plan says '
                    f"{_shown(wanted)}",
                    hint="change its policy, or move it away; or write the same into the options "
                    "max_age and max_length_bytes",
                )

    def close(self) -> None:
        """Nothing is held open."""

    def _kept(self, names: Sequence[str]) -> Mapping[str, Retention]:
        """What limits these streams; what the plan wants where nobody can be asked."""
        if self._settings.management is not None:
            return retentions(self._settings, names)
        return {name: self._settings.retention[name] for name in names}

    def _piece(self, name: str, kept: Retention) -> Piece:
        asked = self._settings.management is not None
        return Piece("stream", name, {"limits": _shown(kept)} if asked else {})

    def _refused(self, error: Lost | Refused) -> BusRefused:
        where = f'the bus "{self._settings.bus}" at {self._settings.shown}'
        return BusRefused(f"{where} cannot be made ready: {error}", hint=error.hint or _HINT)


def _create(connection: Connection, name: str, wanted: Retention) -> None:
    """Raises Refused; the server knows no better word than "an error inside" for a stream that is
    there without a leader."""
    if connection.metadata([name]).get(name) == frames.UNAVAILABLE:
        raise Refused(frames.UNAVAILABLE)
    try:
        connection.request(frames.CREATE, frames.text(name), frames.texts(wanted))
    except Refused as error:
        if error.code != frames.EXISTS:
            raise


def _shown(kept: Retention) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(kept.items())) or "nothing"
