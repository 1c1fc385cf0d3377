"""What the management API says of streams: whether anything lets them drop what they hold.

The stream protocol does not tell a stream's arguments, and policies change what was declared.
Source: the HTTP API reference of RabbitMQ (`/api/queues/vhost/name`).
"""

from typing import Any

from loaders.rabbitmq_api import Api, Untold
from loaders.rabbitmq_stream.settings import Retention, Settings
from migrate.core.errors import BusRefused

_DROPS = ("max-age", "max-length-bytes")


def retention(settings: Settings, stream: str) -> Retention:
    """What limits a stream: by its arguments, a policy or an operator policy.

    Raises BusRefused where the API does not say.
    """
    said = _ask(settings, stream)
    found: dict[str, str] = {}
    for source in (
        {name.removeprefix("x-"): value for name, value in _part(said, "arguments").items()},
        _part(said, "effective_policy_definition"),
    ):
        found |= {name: str(source[name]) for name in _DROPS if name in source}
    return found


def _part(said: dict[str, Any], name: str) -> dict[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _ask(settings: Settings, stream: str) -> dict[str, Any]:
    api = Api(
        settings.management or "",
        settings.vhost,
        (settings.user, settings.password),
        context=settings.context,
        timeout_s=settings.patience_s,
    )
    try:
        said = api.ask("queues", stream)
    except Untold as untold:
        raise _silent(settings, stream, str(untold)) from None
    finally:
        api.close()
    if not isinstance(said, dict):
        why = "it knows no such stream" if said is None else "it answers with something else"
        raise _silent(settings, stream, why)
    return said


def _silent(settings: Settings, stream: str, why: str) -> BusRefused:
    return BusRefused(
        f'{settings.management} does not say what limits the stream "{stream}" ({why})',
        hint="is the management plugin enabled there, and has the account the tag monitoring? "
        "Without options.management nobody asks",
    )
