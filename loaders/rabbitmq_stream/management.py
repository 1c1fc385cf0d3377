"""What the management API says of streams: whether anything lets them drop what they hold.

The stream protocol does not tell a stream's arguments, and policies change what was declared.
Source: the HTTP API reference of RabbitMQ (`/api/queues/vhost/name`).
"""

import json
from base64 import b64encode
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from loaders.rabbitmq_stream.settings import Retention, Settings
from migrate.core.errors import BusRefused

_DROPS = ("max-age", "max-length-bytes")
_MOST = 4 * 1024 * 1024


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
    login = b64encode(f"{settings.user}:{settings.password}".encode()).decode()
    path = f"/api/queues/{quote(settings.vhost, safe='')}/{quote(stream, safe='')}"
    headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
    request = Request(f"{settings.management}{path}", headers=headers)  # noqa: S310 - http(s)
    secure = str(settings.management).startswith("https")
    context = settings.context if secure else None
    try:
        with urlopen(request, timeout=10, context=context) as answer:  # noqa: S310
            said = json.loads(answer.read(_MOST))
    except HTTPError as error:
        raise _silent(settings, stream, f"status {error.code}") from None
    except (OSError, ValueError) as error:
        raise _silent(settings, stream, type(error).__name__) from None
    if not isinstance(said, dict):
        raise _silent(settings, stream, "it answers with something else")
    return said


def _silent(settings: Settings, stream: str, why: str) -> BusRefused:
    return BusRefused(
        f'{settings.management} does not say what limits the stream "{stream}" ({why})',
        hint="is the management plugin enabled there, and has the account the tag monitoring? "
        "Without options.management nobody asks",
    )
