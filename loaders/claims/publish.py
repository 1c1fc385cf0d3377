"""Publishing with claims: what is too large is in the store before its window's intent."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.claims.reference import name_of, referring
from migrate.core.flow import ClaimsSpec
from migrate.core.ports import ClaimStore, Receipts
from migrate.core.ports import Publisher as Inner
from migrate.core.redact import read_key
from migrate.core.window import Window


class Publisher:
    """A bus's publisher that leaves bodies above a size with a claim store.

    A window is looked through, and its claims are made durable, when it is asked for its mark:
    that is before its intent is written down.
    """

    def __init__(self, inner: Inner, store: ClaimStore, spec: ClaimsSpec) -> None:
        self._inner, self._store, self._spec = inner, store, spec
        self.rejects_successors = inner.rejects_successors
        self.window, self.in_flight = inner.window, inner.in_flight
        self._key: bytes | None = None
        self._last: tuple[Window, Window] | None = None

    def mark(self, window: Window) -> str | None:
        """Keep the window's large bodies; the bus's own mark. Raises BusRefused."""
        return self._inner.mark(self._kept(window))

    def send(self, window: Window) -> None:
        """Publish the window, with references in the place of large bodies. Raises BusRefused."""
        referred = self._kept(window)
        self._last = None
        self._inner.send(referred)

    def receipts(self) -> Receipts:
        """The bus's answers."""
        return self._inner.receipts()

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which deliveries of a window, or references in their place, are on the bus."""
        return self._inner.resolve(self._referred(window)[0], mark, since)

    def close(self) -> None:
        """Let go of both."""
        try:
            self._inner.close()
        finally:
            self._store.close()

    def _kept(self, window: Window) -> Window:
        if self._last is None or self._last[0] is not window:
            referred, bodies = self._referred(window)
            if bodies:
                self._store.put(bodies)
            self._last = window, referred
        return self._last[1]

    def _referred(self, window: Window) -> tuple[Window, dict[str, bytes]]:
        """The window as it goes out, and the bodies it refers to, by name."""
        large = pc.greater(pc.binary_length(window.bodies), self._spec.above)
        places = pc.indices_nonzero(large).to_pylist()
        if not places:
            return window, {}
        kept: dict[str, bytes] = {}
        envelopes: list[list[dict[str, str]]] = []
        for place in places:
            body = window.bodies[place].as_py()
            name = self._name(body)
            kept[name] = body
            envelope = {pair["name"]: pair["value"] for pair in window.attributes[place].as_py()}
            envelope |= referring(self._spec.base, name, body)
            envelopes.append([{"name": n, "value": v} for n, v in sorted(envelope.items())])
        referred = replace(
            window,
            attributes=_replaced(window.attributes, places, envelopes),
            bodies=pc.if_else(large, pa.scalar(b"", pa.large_binary()), window.bodies),
        )
        return referred, kept

    def _name(self, body: bytes) -> str:
        if self._key is None:
            self._key = read_key(self._spec.namespace)
        return name_of(self._key, body)


def _replaced(
    column: pa.ListArray, places: list[int], values: list[list[dict[str, str]]]
) -> pa.ListArray:
    """A column with other values at these places."""
    order = np.arange(len(column))
    order[places] = len(column) + np.arange(len(places))
    return pa.concat_arrays([column, pa.array(values, column.type)]).take(pa.array(order))
