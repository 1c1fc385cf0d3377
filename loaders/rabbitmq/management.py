"""What the management API says of exchanges, queues and bindings: definitions, never statistics.

Source: the HTTP API reference of RabbitMQ (`/api/exchanges`, `/api/queues`, `/api/policies`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from loaders.rabbitmq.address import Address
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq_api import Api, Untold

_ALTERNATE = "alternate-exchange"


class Binding(NamedTuple):
    """From an exchange to a queue (or another exchange, then `queue` is its name) by a key."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Described:
    """An exchange or a queue as it was declared."""

    name: str
    type: str
    durable: bool
    arguments: Mapping[str, Any]


class Management:
    """The API, asked for one virtual host over one connection. Raises LinkLost."""

    def __init__(self, address: Address) -> None:
        url = address.management or ""
        self._url = url
        self._api = Api(
            url,
            address.vhost,
            (address.user, address.password),
            context=address.context() if url.startswith("https:") else None,
            timeout_s=address.timeout_s,
        )

    def bindings(self, exchange: str) -> set[Binding]:
        """All bindings that lead away from an exchange; none where there is no such exchange."""
        return {
            Binding(exchange, str(one["destination"]), str(one["routing_key"]))
            for one in self._list("exchanges", exchange, "bindings", "source")
        }

    def exchanges(self) -> dict[str, Described]:
        """Every exchange of the virtual host, by name."""
        return self._described("exchanges", "")

    def queues(self) -> dict[str, Described]:
        """Every queue of the virtual host, by name."""
        return self._described("queues", "?disable_stats=true")

    def has_alternate(self, exchange: str) -> bool:
        """Whether what an exchange cannot route is taken elsewhere, by argument or by policy."""
        found = self._ask("exchanges", exchange)
        if not isinstance(found, dict):
            return False
        if _ALTERNATE in found.get("arguments", {}):
            return True
        names = [found.get("policy")]
        policies = self._list("policies") if any(names) else []
        return any(
            policy["name"] in names and _ALTERNATE in policy["definition"] for policy in policies
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._api.close()

    def _described(self, what: str, query: str) -> dict[str, Described]:
        return {
            str(one["name"]): Described(
                str(one["name"]),
                str(one.get("type", "classic")),
                bool(one["durable"]),
                dict(one.get("arguments") or {}),
            )
            for one in self._list(what, query=query)
        }

    def _list(self, what: str, *names: str, query: str = "") -> list[dict[str, Any]]:
        found = self._ask(what, *names, query=query)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self._unusable("it answers with something else")
        return found

    def _ask(self, what: str, *names: str, query: str = "") -> Any:
        try:
            return self._api.ask(what, *names, query=query)
        except Untold as untold:
            raise self._unusable(str(untold)) from None

    def _unusable(self, why: str) -> LinkLost:
        return LinkLost(f"has no management API at {self._url} that says what it holds ({why})")
