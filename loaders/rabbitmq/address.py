"""Where a RabbitMQ is, and how patient to be with it: the URL and options of a bus."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from loaders.rabbitmq_api import OPTION as MANAGEMENT
from loaders.rabbitmq_api import management_url
from migrate.core.errors import BusRefused, UsageError
from migrate.core.flow import BusSpec
from migrate.core.redact_url import mask_url

_NUMBERS = {
    "heartbeat_s": (20, 0, 3600),
    "timeout_s": (60, 1, 3600),
    "blocked_s": (300, 0, 86_400),
    "max_message_bytes": (16 * 1024 * 1024, 1, 512 * 1024 * 1024),
}
"""Option: its default, its least and its greatest value."""
_FILES = ("ca_file", "client_cert", "client_key")
QUEUE_DEFAULTS = "queue"
OPTIONS = ("exchange", MANAGEMENT, QUEUE_DEFAULTS, *_FILES, *_NUMBERS)


@dataclass(frozen=True, slots=True)
class Address:
    """A virtual host of a broker; nothing secret in `shown`.

    `heartbeat_s`: proposed to the broker, 0 for none; `timeout_s`: how long an answer may take;
    `blocked_s`: how long an alarm may stop us; `max_message_bytes`: the broker's own limit.
    """

    host: str
    port: int
    tls: bool
    vhost: str
    user: str
    password: str = field(repr=False)
    exchange: str
    management: str | None
    shown: str
    ca_file: str | None
    client_cert: str | None
    client_key: str | None
    heartbeat_s: int
    timeout_s: int
    blocked_s: int
    max_message_bytes: int

    def context(self) -> ssl.SSLContext:
        """For TLS; the broker's certificate and name are always checked. Raises BusRefused."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.client_cert:
                context.load_cert_chain(self.client_cert, self.client_key)
        except OSError as error:
            raise BusRefused(
                f"{self.shown}: the files of TLS cannot be loaded ({type(error).__name__})",
                hint="look at the options ca_file, client_cert and client_key of the bus",
            ) from None
        return context


def address_of(spec: BusSpec) -> Address:
    """`amqp://user:password@host:5672/vhost`, or `amqps://`; without a virtual host `/`.

    Raises UsageError for a URL that is none, and for options that are unknown or senseless.
    """
    options = dict(spec.options)
    require_known(f'bus "{spec.name}"', options, OPTIONS)
    plain = _shown(spec.url)
    try:
        found = urlsplit(spec.url)
        port = found.port
    except ValueError:
        raise _no_url(spec, plain) from None
    wrong = found.scheme not in ("amqp", "amqps") or not found.hostname
    if wrong or found.query or found.fragment:
        raise _no_url(spec, plain)
    assert found.hostname is not None
    tls = found.scheme == "amqps"
    files = _files(spec, options, tls=tls)
    where = f'bus "{spec.name}"'
    numbers = {name: whole(where, options, name, *limits) for name, limits in _NUMBERS.items()}
    return Address(
        found.hostname,
        port or (5671 if tls else 5672),
        tls,
        unquote(found.path[1:]) or "/",
        unquote(found.username or "guest"),
        unquote(found.password or "guest"),
        _exchange(spec, options),
        management_url(where, options),
        plain,
        files["ca_file"],
        files["client_cert"],
        files["client_key"],
        numbers["heartbeat_s"],
        numbers["timeout_s"],
        numbers["blocked_s"],
        numbers["max_message_bytes"],
    )


def require_known(where: str, options: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Raises UsageError for an option that is none of these."""
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise UsageError(
            f"{where}: no option is named {', '.join(unknown)}", hint=f"known: {', '.join(known)}"
        )


def whole(
    where: str, options: Mapping[str, str], name: str, default: int, least: int, most: int
) -> int:
    """A whole number of an option. Raises UsageError."""
    text = options.get(name, str(default))
    if not text.isdecimal() or not least <= int(text) <= most:
        raise UsageError(
            f"{where}: the option {name} is no number from {least} to {most}",
            hint=f'options = {{ {name} = "{default}" }}',
        )
    return int(text)


def _exchange(spec: BusSpec, options: Mapping[str, str]) -> str:
    name = options.get("exchange", spec.name)
    if not 0 < len(name.encode()) <= 255 or name.startswith("amq."):
        raise UsageError(
            f'bus "{spec.name}": the option exchange names no exchange of our own',
            hint='one to 255 bytes, not beginning with "amq."',
        )
    return name


def _files(spec: BusSpec, options: Mapping[str, str], *, tls: bool) -> dict[str, str | None]:
    files = {name: options.get(name) for name in _FILES}
    secure = tls or (options.get(MANAGEMENT) or "").startswith("https:")
    if any(files.values()) and not secure:
        raise UsageError(
            f'bus "{spec.name}": files of TLS without TLS', hint="write its url as amqps://…"
        )
    if files["client_key"] and not files["client_cert"]:
        raise UsageError(
            f'bus "{spec.name}": client_key without client_cert', hint="name both, or neither"
        )
    return files


def _shown(url: str) -> str:
    """Without user and password, masked besides."""
    scheme, mark, rest = url.partition("://")
    return mask_url(f"{scheme}{mark}{rest.rpartition('@')[2]}")


def _no_url(spec: BusSpec, plain: str) -> UsageError:
    return UsageError(
        f'bus "{spec.name}": {plain} names no virtual host of a RabbitMQ',
        hint="amqp://user:password@host:5672/vhost",
    )
