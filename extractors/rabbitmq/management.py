"""What the management API says of a virtual host's queues: names, types, arguments, policies.

Definitions are asked for, not statistics, which lag some seconds behind. Source: the HTTP API
reference of RabbitMQ (`/api/queues`, `/api/policies`, `/api/operator-policies`).
"""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from extractors.rabbitmq.address import Address, quoted
from migrate.core.errors import LegacyUnreadable

STREAM, CLASSIC, QUORUM = "stream", "classic", "quorum"
_LENGTHS = ("max-length", "max-length-bytes")
_REJECTS = ("reject-publish", "reject-publish-dlx")
_APPLIES = {
    CLASSIC: ("all", "queues", "classic_queues"),
    QUORUM: ("all", "queues", "quorum_queues"),
    STREAM: ("all", "queues", "streams"),
}
_MAX_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue, as it was declared and as policies may change it."""

    name: str
    type: str
    arguments: dict[str, Any]
    policies: tuple[tuple[str, dict[str, Any]], ...]  # all that match its name: name, definition
    exclusive: bool
    auto_delete: bool

    def danger(self) -> str | None:
        """Why reading it could lose messages, or cannot be done, with a remedy; None: it cannot."""
        if self.type == STREAM:
            return None
        if self.type != CLASSIC:
            return (
                f'from: "{self.name}" is a {self.type} queue: each reading counts towards its '
                "delivery limit (20 from RabbitMQ 4.0 on, else by policy), beyond which a message "
                "is dropped; copy it with a shovel into a stream, or bind a stream beside it, and "
                "read that"
            )
        if self.exclusive or self.auto_delete:
            return (
                f'from: "{self.name}" is exclusive or deletes itself when it is no longer used; '
                "copy it into a stream and read that"
            )
        if limit := self._limit():
            return (
                f'from: "{self.name}" is limited by {limit}: what is published while its messages '
                "are held would drop them when they are given back; take the limit away or set "
                "overflow to reject-publish"
            )
        return None

    def _limit(self) -> str | None:
        """A length limit that drops messages, by argument or by any policy that may apply."""
        own = {name.removeprefix("x-"): value for name, value in self.arguments.items()}
        sources = [("its arguments", own), *((f'policy "{n}"', d) for n, d in self.policies)]
        for where, found in sources:
            if any(name in found for name in _LENGTHS) and found.get("overflow") not in _REJECTS:
                return where
        return None


class Management:
    """The API, asked for one virtual host."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def queues(self) -> list[QueueFacts]:
        """All of them, by name. Raises LegacyUnreadable where they cannot be told."""
        vhost = quoted(self._address.vhost)
        policies = [
            policy
            for kind in ("policies", "operator-policies")
            for policy in self._ask(f"/api/{kind}/{vhost}")
        ]
        try:
            found = [_facts(queue, policies) for queue in self._ask(f"/api/queues/{vhost}")]
        except (KeyError, TypeError, AttributeError):
            raise self._unusable("it answers with something else") from None
        return sorted(found, key=lambda one: one.name)

    def _ask(self, path: str) -> list[dict[str, Any]]:
        address = self._address
        login = b64encode(f"{address.user}:{address.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        request = Request(f"{address.management}{path}", headers=headers)  # noqa: S310 - http(s)
        context = address.context() if address.management.startswith("https") else None
        try:
            with urlopen(request, timeout=address.timeout_s, context=context) as answer:  # noqa: S310
                data = answer.read(_MAX_ANSWER + 1)
        except HTTPError as error:
            raise self._unusable(f"status {error.code}") from None
        except OSError as error:
            raise self._unusable(type(error).__name__) from None
        try:
            found = json.loads(data) if len(data) <= _MAX_ANSWER else None
        except ValueError:
            found = None
        if not isinstance(found, list):
            raise self._unusable("it answers with something else")
        return found

    def _unusable(self, why: str) -> LegacyUnreadable:
        return LegacyUnreadable(
            f"{self._address.management} does not say what {self._address.shown} holds ({why})",
            hint="is the management plugin enabled there, has the account the tag monitoring, "
            "and is there such a virtual host?",
        )


def _facts(queue: dict[str, Any], policies: list[dict[str, Any]]) -> QueueFacts:
    name, kind = queue["name"], queue.get("type", "unknown")
    matching = tuple(
        (str(policy["name"]), dict(policy["definition"]))
        for policy in policies
        if policy.get("apply-to", "all") in _APPLIES.get(kind, ("all", "queues"))
        and _may_match(policy["pattern"], name)
    )
    return QueueFacts(
        name,
        kind,
        dict(queue.get("arguments") or {}),
        matching,
        bool(queue.get("exclusive")),
        bool(queue.get("auto_delete")),
    )


def _may_match(pattern: str, name: str) -> bool:
    """Whether a policy may apply; one whose pattern is not understood here may."""
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True
