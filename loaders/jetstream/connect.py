"""A session with a bus: a connection, its API, and the errors of both in the operator's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loaders.jetstream.api import Api, ApiError
from loaders.jetstream.options import Access
from loaders.jetstream.wire import Connection, WireError
from migrate.core.errors import MigrateError


class Session:
    """A connection to a bus, and its JetStream."""

    def __init__(self, access: Access) -> None:
        """Raises WireError, and UsageError for files that cannot be used."""
        self.link = Connection(access)
        self.api = Api(self.link, access)

    def close(self) -> None:
        """Let go of the connection."""
        self.link.close()


@contextmanager
def translated(bus: str, doing: str, error: type[MigrateError]) -> Iterator[None]:
    """What the server and the network say, as `error`: "the bus … cannot …"."""
    try:
        yield
    except (WireError, ApiError) as cause:
        raise error(
            f'the bus "{bus}" {doing} ({cause})',
            hint="look at its url, whether it runs with JetStream on, and the account's rights",
        ) from None


def position(sequence: int, created: str) -> str:
    """A place in one life of a stream: a stream made anew has none of it."""
    return f"{sequence}@{created}"


def behind(text: str | None, created: str) -> int:
    """The sequence behind which to read: 0 for no position, and for one of an earlier life."""
    sequence, _, life = (text or "").partition("@")
    return int(sequence) if life == created and sequence.isdecimal() else 0


def stamp(stream: Any) -> str:
    """The present end of a stream as a position."""
    return position(stream.last, stream.created)
