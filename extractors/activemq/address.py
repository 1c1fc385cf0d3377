"""Where a live broker is, and as whom to come: the URL and options of a store."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from extractors.addresses import TIMEOUT_S, require_known, shown, timeout_of
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import StoreSpec

PLAIN, TLS = "tcp", "ssl"
_OPTIONS = ("ca_file", "cert_file", "key_file", "statistics", "timeout_s", "max_inflated_bytes")


@dataclass(frozen=True, slots=True)
class Address:
    """A broker, with nothing secret in `shown` nor in its representation."""

    host: str
    port: int
    tls: bool
    shown: str
    user: str | None
    password: str | None = field(repr=False)
    options: tuple[tuple[str, str], ...] = ()
    timeout_s: int = TIMEOUT_S

    def context(self) -> ssl.SSLContext | None:
        """For TLS: the broker's certificate is always checked. Raises LegacyUnreadable."""
        if not self.tls:
            return None
        known = dict(self.options)
        try:
            found = ssl.create_default_context(cafile=known.get("ca_file"))
            if "cert_file" in known:
                found.load_cert_chain(known["cert_file"], known.get("key_file"))
        except (OSError, ssl.SSLError) as error:
            raise LegacyUnreadable(
                f"{self.shown}: the certificates cannot be loaded ({type(error).__name__})",
                hint="look at ca_file, cert_file and key_file in the store's options",
            ) from None
        return found


def address_of(spec: StoreSpec) -> Address:
    """`tcp://user:password@host:61616` or `ssl://…`. Raises LegacyUnreadable for what is none."""
    plain = shown(spec.url)
    try:
        found = urlsplit(spec.url)
        port = found.port or (61617 if found.scheme == TLS else 61616)
    except ValueError:
        raise _wrong(plain, "is no URL") from None
    if found.scheme not in (PLAIN, TLS) or not found.hostname:
        raise _wrong(plain, "names no broker")
    if found.query or found.fragment or found.path.strip("/"):
        raise _wrong(plain, "says more than host and port")
    require_known(spec, _OPTIONS)
    return Address(
        found.hostname,
        port,
        found.scheme == TLS,
        plain,
        unquote(found.username) if found.username else None,
        unquote(found.password) if found.password else None,
        spec.options,
        timeout_of(spec),
    )


def _wrong(shown: str, what: str) -> LegacyUnreadable:
    return LegacyUnreadable(
        f"{shown} {what}",
        hint="one broker's OpenWire connector: tcp://host:61616 or ssl://host:61617",
    )
