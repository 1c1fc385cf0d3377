"""What the management API says of exchanges, queues and bindings: definitions, never statistics.

Source: the HTTP API reference of RabbitMQ (`/api/exchanges`, `/api/queues`, `/api/policies`).
"""

import http.client
import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from loaders.rabbitmq.address import Address
from loaders.rabbitmq.lost import LinkLost

_MAX_ANSWER = 64 * 1024 * 1024
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
        self._address = address
        url = urlsplit(address.management or "")
        self._path = url.path
        self._vhost = quote(address.vhost, safe="")
        login = b64encode(f"{address.user}:{address.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        host, wait = url.hostname or "", address.timeout_s
        if url.scheme == "https":
            context = address.context()
            self._http: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, url.port, timeout=wait, context=context
            )
        else:
            self._http = http.client.HTTPConnection(host, url.port, timeout=wait)

    def bindings(self, exchange: str) -> set[Binding]:
        """All bindings that lead away from an exchange; none where there is no such exchange."""
        path = f"/api/exchanges/{self._vhost}/{quote(exchange, safe='')}/bindings/source"
        return {
            Binding(exchange, str(one["destination"]), str(one["routing_key"]))
            for one in self._list(path)
        }

    def exchanges(self) -> dict[str, Described]:
        """Every exchange of the virtual host, by name."""
        return self._described("exchanges", "")

    def queues(self) -> dict[str, Described]:
        """Every queue of the virtual host, by name."""
        return self._described("queues", "?disable_stats=true")

    def has_alternate(self, exchange: str) -> bool:
        """Whether what an exchange cannot route is taken elsewhere, by argument or by policy."""
        found = self._ask(f"/api/exchanges/{self._vhost}/{quote(exchange, safe='')}")
        if not isinstance(found, dict):
            return False
        if _ALTERNATE in found.get("arguments", {}):
            return True
        names = [found.get("policy")]
        policies = self._list(f"/api/policies/{self._vhost}") if any(names) else []
        return any(
            policy["name"] in names and _ALTERNATE in policy["definition"] for policy in policies
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _described(self, what: str, query: str) -> dict[str, Described]:
        return {
            str(one["name"]): Described(
                str(one["name"]),
                str(one.get("type", "classic")),
                bool(one["durable"]),
                dict(one.get("arguments") or {}),
            )
            for one in self._list(f"/api/{what}/{self._vhost}{query}")
        }

    def _list(self, path: str) -> list[dict[str, Any]]:
        found = self._ask(path)
        if found is None:
            return []
        if not isinstance(found, list):
            raise self._unusable("it answers with something else")
        return found

    def _ask(self, path: str) -> Any:
        """What it answers; None for what is not there."""
        try:
            status, data = self._get(path)
        except (http.client.HTTPException, OSError):
            with suppress(OSError):  # a kept connection may have been closed in the meantime
                self._http.close()
            try:
                status, data = self._get(path)
            except (http.client.HTTPException, OSError) as error:
                raise self._unusable(type(error).__name__) from None
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        if status != http.HTTPStatus.OK or len(data) > _MAX_ANSWER:
            raise self._unusable(f"status {status}")
        try:
            return json.loads(data)
        except ValueError:
            raise self._unusable("it answers with something else") from None

    def _get(self, path: str) -> tuple[int, bytes]:
        self._http.request("GET", f"{self._path}{path}", headers=self._headers)
        answer = self._http.getresponse()
        return answer.status, answer.read(_MAX_ANSWER + 1)

    def _unusable(self, why: str) -> LinkLost:
        return LinkLost(
            f"has no management API at {self._address.management} that says what it holds ({why})"
        )
