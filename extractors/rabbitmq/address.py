"""Where a live RabbitMQ is: the URL and options of a store."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from extractors.addresses import require_known, shown, timeout_of
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec

_OPTIONS = ("ca_file", "management", "timeout_s")


@dataclass(frozen=True, slots=True)
class Address:
    """A virtual host of a broker, and its management API; nothing secret in `shown`."""

    host: str
    port: int
    tls: bool
    vhost: str
    user: str
    password: str = field(repr=False)
    management: str
    shown: str
    ca_file: str | None
    timeout_s: int

    def context(self) -> ssl.SSLContext:
        """For TLS; certificates are always checked. Raises LegacyUnreadable."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise LegacyUnreadable(
                f"{self.shown}: ca_file cannot be loaded ({type(error).__name__})"
            ) from None


def address_of(spec: StoreSpec) -> Address:
    """`amqp://user:password@host:5672/vhost`; without a virtual host `/`. Raises
    LegacyUnreadable."""
    scheme = spec.url.partition("://")[0]
    plain = shown(spec.url)
    options = dict(spec.options)
    require_known(spec, _OPTIONS)
    try:
        found = urlsplit(spec.url)
        port = found.port or (5671 if scheme == "amqps" else 5672)
    except ValueError:
        raise _wrong(plain) from None
    if scheme not in ("amqp", "amqps") or not found.hostname or found.query or found.fragment:
        raise _wrong(plain)
    return Address(
        found.hostname,
        port,
        scheme == "amqps",
        unquote(found.path[1:]) or "/",
        unquote(found.username or "guest"),
        unquote(found.password or "guest"),
        _management(spec, options),
        plain,
        options.get("ca_file"),
        timeout_of(spec),
    )


def quoted(name: str) -> str:
    """A name in a path of the management API."""
    return quote(name, safe="")


def _management(spec: StoreSpec, options: dict[str, str]) -> str:
    url = options.get("management", "")
    found = urlsplit(url)
    if found.scheme not in ("http", "https") or not found.hostname or "@" in found.netloc:
        raise LegacyUnreadable(
            f'store "{spec.name}": options.management does not name the management API',
            hint="AMQP does not tell which queues there are, of what type, and under which "
            'policies; options = { management = "http://host:15672" }',
        )
    return url.rstrip("/")


def _wrong(shown: str) -> LegacyUnreadable:
    return LegacyUnreadable(
        f"{shown} names no virtual host of a RabbitMQ", hint="amqp://user:password@host:5672/vhost"
    )
