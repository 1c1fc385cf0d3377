"""What the management API says of streams: whether anything lets them drop what they hold.

The stream protocol does not tell a stream's arguments, and policies change what was declared.
What is read are definitions: statistics, and the policy in force among them, lag five seconds
behind, so that a stream just made would seem to have none.
Source: the HTTP API reference of RabbitMQ (`/api/queues/vhost`, `/api/policies/vhost`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loaders.rabbitmq_api import Api, Untold
from loaders.rabbitmq_stream.settings import Retention, Settings
from migrate.core.errors import BusRefused

_DROPS = ("max-age", "max-length-bytes")
_OF_STREAMS = ("all", "queues", "streams")
"""What a policy is applied to, as far as that concerns streams."""

Listed = dict[str, Mapping[str, Any]]
"""What there is of a kind, by name."""


def retentions(settings: Settings, streams: Iterable[str]) -> dict[str, Retention]:
    """What limits each of these streams: by its arguments, a policy or an operator policy.

    Raises BusRefused where the API does not say.
    """
    api = Api(
        settings.management or "",
        settings.vhost,
        (settings.user, settings.password),
        context=settings.context,
        timeout_s=settings.patience_s,
    )
    try:
        queues = _listed(api, "queues", "?disable_stats=true")
        policies = _listed(api, "policies")
        operators = list(_listed(api, "operator-policies").values())
        return {stream: _retention(stream, queues, policies, operators) for stream in streams}
    except Untold as untold:
        raise _silent(settings, str(untold)) from None
    finally:
        api.close()


def _retention(
    stream: str, queues: Listed, policies: Listed, operators: Sequence[Mapping[str, Any]]
) -> Retention:
    """An operator policy outranks a policy, and that one what was declared."""
    if stream not in queues:
        raise Untold(f'it knows no stream "{stream}"')
    said = queues[stream]
    sources = [
        {name.removeprefix("x-"): value for name, value in said.get("arguments", {}).items()},
        policies.get(said.get("policy") or "", {}).get("definition", {}),
        _outranking(stream, operators).get("definition", {}),
    ]
    return {name: str(each[name]) for each in sources for name in _DROPS if name in each}


def _outranking(stream: str, operators: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The operator policy of a stream: a queue does not name it without its statistics."""
    meant = [one for one in operators if one["apply-to"] in _OF_STREAMS]
    matching = [one for one in meant if _matches(one["pattern"], stream)]
    return max(matching, key=lambda one: int(one["priority"]), default={})


def _matches(pattern: str, stream: str) -> bool:
    """What only Erlang could read as a pattern may be meant for the stream."""
    try:
        return re.search(pattern, stream) is not None
    except re.error:
        return True


def _listed(api: Api, what: str, query: str = "") -> Listed:
    said = api.ask(what, query=query)
    try:
        return {one["name"]: one for one in said}
    except (TypeError, KeyError):
        raise Untold("it answers with something else") from None


def _silent(settings: Settings, why: str) -> BusRefused:
    return BusRefused(
        f"{settings.management} does not say what limits the streams ({why})",
        hint="is the management plugin enabled there, and has the account the tag monitoring? "
        "Without options.management nobody asks",
    )
