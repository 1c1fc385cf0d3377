"""A connection that only looks, made when it is first needed, and what its loss is called."""

from collections.abc import Iterator
from contextlib import contextmanager

from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.hints import hint_for
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import NOT_FOUND, LinkLost
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec


class Seeing:
    """The witness's way to a broker. Raises UsageError for the URL and options of its bus."""

    def __init__(self, spec: BusSpec) -> None:
        self.address = address_of(spec)
        self._bus = spec.name
        self._link: Link | None = None

    @contextmanager
    def link(self) -> Iterator[Link]:
        """The connection, made anew where the last one was lost. Raises CouldNotVerify."""
        try:
            if self._link is None:
                self._link = Link(self.address, "witness")
            yield self._link
        except LinkLost as lost:
            self._link = None
            raise CouldNotVerify(
                f'the bus "{self._bus}" at {self.address.shown} {lost}',
                hint=hint_for(lost, _HINTS, _HINT),
            ) from None

    def close(self) -> None:
        """Let go of the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None


_HINT = "look whether it runs, and at the account's right to read"
_HINTS = {NOT_FOUND: "a run makes exchanges and queues; were some removed?"}
