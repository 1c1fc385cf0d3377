"""Where a RabbitMQ's streams are, and what they are called: the URL and options of a bus."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from loaders.rabbitmq_api import OPTION as MANAGEMENT
from loaders.rabbitmq_api import management_url
from migrate.core.errors import UsageError
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.redact_url import mask_url

PORTS = {"rabbitmq-stream": 5552, "rabbitmq-stream+tls": 5551}
_OPTIONS = (
    "ca_file",
    "cert_file",
    "key_file",
    MANAGEMENT,
    "max_age",
    "max_length_bytes",
    "patience_s",
    "prefix",
)
_RETENTION = ("max_age", "max_length_bytes")
_AGE = re.compile(r"[1-9][0-9]*[YMDhms]")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_NAME_BYTES = 255
_URL_HINT = "write it as rabbitmq-stream://user:password@host:5552/vhost"

Retention = Mapping[str, str]
"""Arguments of a stream that let it drop what it holds: `max-age`, `max-length-bytes`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A virtual host, how to come to it and how its streams are called; `shown` has no secret."""

    bus: str
    host: str
    port: int
    vhost: str
    user: str
    password: str = field(repr=False)
    shown: str
    context: ssl.SSLContext | None
    management: str | None
    patience_s: float
    prefix: str
    retention: Mapping[str, Retention]
    """By stream; empty where nothing is ever dropped."""

    def stream(self, offramp: str, lane: str) -> str:
        """The stream of an off-ramp's lane."""
        return f"{self.prefix}{offramp}.{lane}"


def settings_of(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Settings:
    """Raises UsageError for a URL, an option or a name that cannot be meant."""
    options = dict(spec.options)
    _require_known(f'the bus "{spec.name}"', options, _OPTIONS)
    where = f'the bus "{spec.name}"'
    prefix = options.get("prefix", f"{spec.name}.")
    retention: dict[str, Retention] = {}
    for name, offramp in offramps.items():
        ours = f'the off-ramp "{name}"'
        own = dict(offramp.options)
        _require_known(ours, own, _RETENTION)
        kept = {**_retention(where, options), **_retention(ours, own)}
        retention |= {_named(ours, f"{prefix}{name}.{lane}"): kept for lane in LANES}
    host, port, tls, vhost, user, password = _place(spec)
    return Settings(
        spec.name,
        host,
        port,
        vhost,
        user,
        password,
        _shown(spec.url),
        _context(where, options, tls=tls),
        management_url(where, options),
        _seconds(where, options.get("patience_s", "60")),
        prefix,
        retention,
    )


def _place(spec: BusSpec) -> tuple[str, int, bool, str, str, str]:
    scheme = spec.url.partition("://")[0]
    try:
        found = urlsplit(spec.url)
        port = found.port or PORTS.get(scheme, 0)
    except ValueError:
        found, port = None, 0
    if found is None or scheme not in PORTS or not found.hostname or found.query or found.fragment:
        raise UsageError(
            f'the url of the bus "{spec.name}" names no RabbitMQ streams', hint=_URL_HINT
        )
    user = unquote(found.username or "guest")
    password = unquote(found.password or "guest")
    vhost = unquote(found.path[1:]) or "/"
    return found.hostname, port, scheme.endswith("+tls"), vhost, user, password


def _shown(url: str) -> str:
    """Without user and password, masked besides."""
    scheme, mark, rest = url.partition("://")
    return mask_url(f"{scheme}{mark}{rest.rpartition('@')[2]}")


def _context(where: str, options: Mapping[str, str], *, tls: bool) -> ssl.SSLContext | None:
    """Certificates are always verified."""
    files = [name for name in ("ca_file", "cert_file", "key_file") if name in options]
    if not tls:
        if files:
            raise UsageError(
                f"{where}: options.{files[0]} is of no use without TLS",
                hint="write the url as rabbitmq-stream+tls://user:password@host:5551/vhost",
            )
        return None
    if "key_file" in options and "cert_file" not in options:
        raise UsageError(f"{where}: options.key_file needs options.cert_file beside it")
    try:
        context = ssl.create_default_context(cafile=options.get("ca_file"))
        if "cert_file" in options:
            context.load_cert_chain(options["cert_file"], options.get("key_file"))
    except OSError as error:
        raise UsageError(
            f"{where}: {', '.join(files)} cannot be loaded ({type(error).__name__})",
            hint="name PEM files that can be read; a key must not ask for a pass phrase",
        ) from None
    return context


def _retention(where: str, options: Mapping[str, str]) -> Retention:
    kept: dict[str, str] = {}
    for name, pattern, example in (
        ("max_age", _AGE, '"7D" (Y, M, D, h, m or s)'),
        ("max_length_bytes", _NUMBER, '"50000000000"'),
    ):
        if name in options:
            if not pattern.fullmatch(options[name]):
                raise UsageError(
                    f"{where}: options.{name} is no such value",
                    hint=f"such as {example}; leave it out and nothing is ever dropped",
                )
            kept[name.replace("_", "-")] = options[name]
    return kept


def _seconds(where: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{where}: options.patience_s is no whole number of seconds")
    return float(text)


def _named(where: str, stream: str) -> str:
    if len(stream.encode()) > _NAME_BYTES:
        raise UsageError(
            f"{where}: its streams' names are longer than {_NAME_BYTES} bytes",
            hint="choose a shorter options.prefix",
        )
    return stream


def _require_known(where: str, options: Mapping[str, str], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            raise UsageError(
                f'{where} has no option "{name}"', hint=f"there are {', '.join(known)}"
            )
