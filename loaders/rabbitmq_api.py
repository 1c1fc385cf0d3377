"""RabbitMQ's management API, as both kinds of bus on RabbitMQ ask it.

Source: the HTTP API reference of RabbitMQ (`/api/<what>/<virtual host>/<name>`).
"""

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from migrate.core.errors import UsageError

OPTION = "management"
"""The option of a bus that says where it is."""
_MAX_ANSWER = 64 * 1024 * 1024


class Untold(Exception):
    """The API does not say; why, in a few words of our own."""


class Api:
    """Asked for one virtual host over one connection, by the account of the bus's URL."""

    def __init__(
        self,
        url: str,
        vhost: str,
        login: tuple[str, str],
        *,
        context: ssl.SSLContext | None,
        timeout_s: float,
    ) -> None:
        """`login`: user and password; `context`: for https, the system's authorities without."""
        place = urlsplit(url)
        self._path, self._vhost = place.path, quote(vhost, safe="")
        secret = b64encode(":".join(login).encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}", "Accept": "application/json"}
        host = place.hostname or ""
        if place.scheme == "https":
            self._http: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, place.port, timeout=timeout_s, context=context
            )
        else:
            self._http = http.client.HTTPConnection(host, place.port, timeout=timeout_s)

    def ask(self, what: str, *names: str, query: str = "") -> Any:
        """What it answers of something in the virtual host; None for what is not there.

        Raises Untold.
        """
        named = "".join(f"/{quote(name, safe='')}" for name in names)
        status, data = self._answer(f"{self._path}/api/{what}/{self._vhost}{named}{query}")
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        if status != http.HTTPStatus.OK or len(data) > _MAX_ANSWER:
            raise Untold(f"status {status}")
        try:
            return json.loads(data)
        except ValueError:
            raise Untold("it answers with something else") from None

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def _answer(self, path: str) -> tuple[int, bytes]:
        try:
            return self._get(path)
        except (http.client.HTTPException, OSError):
            with suppress(OSError):  # a kept connection may have been closed in the meantime
                self._http.close()
        try:
            return self._get(path)
        except (http.client.HTTPException, OSError) as error:
            raise Untold(type(error).__name__) from None

    def _get(self, path: str) -> tuple[int, bytes]:
        self._http.request("GET", path, headers=self._headers)
        answer = self._http.getresponse()
        return answer.status, answer.read(_MAX_ANSWER + 1)


def management_url(where: str, options: Mapping[str, str]) -> str | None:
    """Where the options of a bus say that the API is; None where they do not. Raises UsageError."""
    url = options.get(OPTION)
    if url is None:
        return None
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname or "@" in found.netloc:
        raise UsageError(
            f"{where}: the option {OPTION} names no management API",
            hint='options = { management = "http://host:15672" }; the login is that of the url',
        )
    return url.rstrip("/")
