"""Windows of deliveries made by hand, and publishing them in one breath."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from migrate.core.ports import Receipts
from migrate.core.schema import MESSAGE
from migrate.core.window import Window
from migrate.formats.envelope import bus_headers


@dataclass(frozen=True)
class Sent:
    """One delivery; `attributes` go without lane and run."""

    destination: str
    message_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"x"
    order_key: str | None = None


def window(deliveries: Sequence[Sent], *, run: str = "run-1", lane: str = "bulk") -> Window:
    """These deliveries as a window."""
    pairs = [
        [{"name": name, "value": value} for name, value in sorted(one.attributes.items())]
        for one in deliveries
    ]
    return Window(
        run,
        lane,
        [one.destination for one in deliveries],
        [one.message_id for one in deliveries],
        [one.order_key for one in deliveries],
        pa.array(pairs, MESSAGE.field("attributes").type),
        pa.array([one.body for one in deliveries], pa.large_binary()),
    )


def envelope(window: Window, place: int) -> dict[str, str]:
    """All headers of one delivery, lane and run included; names sorted."""
    return bus_headers(window.attributes[place].as_py(), window.lane, window.run_id)


def publish(publisher: Any, window: Window) -> Receipts:
    """Send one window and wait for its receipts."""
    publisher.mark(window)
    publisher.send(window)
    receipts: Receipts = publisher.receipts()
    return receipts
