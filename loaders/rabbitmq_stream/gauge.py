"""How far behind the readers of an off-ramp's streams are, by the offsets that they store there.

A reader may store, under a name of its own, the offset of the message that it has done with last.
Names are the readers' own, and a stream does not list them: the plan says them.
"""

from collections.abc import Mapping

from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.connection import Connection
from loaders.rabbitmq_stream.lost import Lost, Refused
from loaders.rabbitmq_stream.reading import Reader
from loaders.rabbitmq_stream.settings import settings_of
from loaders.receivers import consumers_of, require_named
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import LANES, BusSpec, OffRampSpec


class Gauge:
    """Asks for stored offsets; stores none."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises NoGauge where no name is said."""
        self._settings = settings_of(spec, offramps)
        require_named(offramps, "the names under which readers store their offsets")
        self._names = {name: consumers_of(ramp) for name, ramp in offramps.items()}
        self._connection: Connection | None = None

    def backlog(self) -> Mapping[str, int]:
        """By off-ramp, of its slowest reader. Raises CouldNotVerify."""
        try:
            return self._told()
        except (Lost, Refused) as error:
            self.close()
            raise CouldNotVerify(
                f'the bus "{self._settings.bus}" does not tell what its readers took: {error}',
                hint="look whether it runs, has its streams, and lets this account read them",
            ) from None

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _told(self) -> dict[str, int]:
        if self._connection is not None:
            try:
                return self._asked(self._connection)
            except Lost:
                self.close()  # nobody asked for hours, and the server has hung up
        self._connection = Connection(self._settings, "counts")
        return self._asked(self._connection)

    def _asked(self, connection: Connection) -> dict[str, int]:
        reader = Reader(connection)
        waiting: dict[str, int] = {}
        for offramp, names in self._names.items():
            behind = dict.fromkeys(names, 0)
            for lane in LANES:
                stream = self._settings.stream(offramp, lane)
                taken = {name: _taken(connection, name, stream) for name in names}
                first, end = reader.beginning(stream) or 0, reader.end(stream)
                for name, done in taken.items():
                    behind[name] += max(0, end - max(first, done))
            waiting[offramp] = max(behind.values())
        return waiting


def _taken(connection: Connection, name: str, stream: str) -> int:
    """The offset behind the one stored under a name; 0 where none is. Raises Refused."""
    asked = (frames.text(name), frames.text(stream))
    try:
        return connection.request(frames.QUERY_OFFSET, *asked).number(8) + 1
    except Refused as refused:
        if refused.code == frames.NO_OFFSET:
            return 0
        raise
