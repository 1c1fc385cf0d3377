"""Messages in one queue of a virtual host of their own: a stream, and a classic queue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import SourceSpec
from tests import rabbitmq
from tests.contract.stores import Case, Estate, Fresh


def filled(kind: str) -> Fresh:
    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        with rabbitmq.host() as host:
            host.make("orders", kind)
            host.fill("orders", bodies)
            yield Estate(host.spec(), SourceSpec("flow", "store", "orders"))

    return fresh


CASES: list[Case] = [("stream", filled("stream"), True), ("classic", filled("classic"), True)]
