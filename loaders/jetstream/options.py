"""What a plan says of a JetStream bus: where it is, who asks, what it is called there.

Options of a bus: `prefix`, `replicas`, `duplicates_s`, `domain`, `inbox`, `patience_s`, `ca_file`,
`cert_file`, `key_file`, `tls_first`, `nkey_file`, `credentials_file`. Of an off-ramp: `name`,
`max_msgs`, `max_bytes`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec, OffRampSpec

PORT = 4222
DUPLICATES_S = 120.0
PATIENCE_S = 30.0

_BUS = (
    "prefix",
    "replicas",
    "duplicates_s",
    "domain",
    "inbox",
    "patience_s",
    "ca_file",
    "cert_file",
    "key_file",
    "tls_first",
    "nkey_file",
    "credentials_file",
)
_OFFRAMP = ("name", "max_msgs", "max_bytes")
_SCHEMES = ("nats", "tls")
_TOKEN = re.compile(r"[A-Za-z0-9_:-]+")
_SUBJECT = re.compile(r"[A-Za-z0-9_:-]+(?:\.[A-Za-z0-9_:-]+)*")
_INBOX = re.compile(r"[A-Za-z0-9_:$-]+(?:\.[A-Za-z0-9_:$-]+)*")


@dataclass(frozen=True, slots=True)
class Access:
    """Servers, credentials and TLS of a bus; no secret is shown."""

    bus: str
    servers: tuple[tuple[str, int], ...]
    tls: bool
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)
    options: Mapping[str, str] = field(repr=False)
    inbox: str
    api: str
    patience_s: float


@dataclass(frozen=True, slots=True)
class Ramp:
    """One off-ramp on this bus: its stream, and its subjects but for the lane."""

    destination: str
    stream: str
    subject: str
    exclusive: bool
    max_msgs: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """All off-ramps by destination, and what their streams have in common."""

    prefix: str
    ramps: Mapping[str, Ramp]
    replicas: int
    duplicates_s: float


def access(spec: BusSpec) -> Access:
    """How to reach a bus. Raises UsageError naming what is wrong with its url or an option."""
    options = _known(spec.options, _BUS, f'the bus "{spec.name}"')
    _go_together(spec, options)
    urls = [_url(spec, text) for text in spec.url.split(",")]
    named = next((url for url in urls if url.username), urls[0])
    domain = options.get("domain")
    if domain is not None and not _TOKEN.fullmatch(domain):
        raise _wrong(spec, "domain", "a name without dots and blanks")
    inbox = options.get("inbox", "_INBOX")
    if not _INBOX.fullmatch(inbox):
        raise _wrong(spec, "inbox", "a subject without wildcards, such as _INBOX")
    return Access(
        bus=spec.name,
        servers=tuple((url.hostname or "", url.port or PORT) for url in urls),
        tls=any(url.scheme == "tls" for url in urls),
        user=None if named.username is None else unquote(named.username),
        password=None if named.password is None else unquote(named.password),
        options=options,
        inbox=inbox,
        api=f"$JS.{domain}.API." if domain else "$JS.API.",
        patience_s=_number(spec, options, "patience_s", PATIENCE_S),
    )


def layout(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Layout:
    """What everything is called on a bus. Raises UsageError for names NATS cannot bear."""
    options = _known(spec.options, _BUS, f'the bus "{spec.name}"')
    prefix = options.get("prefix", spec.name)
    if not _SUBJECT.fullmatch(prefix) or prefix.startswith("$"):
        raise _wrong(spec, "prefix", "a subject without wildcards, such as metip")
    ramps = {name: _ramp(prefix, ramp) for name, ramp in offramps.items()}
    _apart(ramps.values())
    replicas = _number(spec, options, "replicas", 1)
    if replicas not in (1, 2, 3, 4, 5):
        raise _wrong(spec, "replicas", "a whole number from 1 to 5")
    duplicates = _number(spec, options, "duplicates_s", DUPLICATES_S)
    if duplicates < 0.1:
        raise _wrong(spec, "duplicates_s", "0.1 or more: a server takes no less")
    return Layout(prefix, ramps, int(replicas), duplicates)


def _ramp(prefix: str, ramp: OffRampSpec) -> Ramp:
    where = f'the off-ramp "{ramp.name}"'
    options = _known(ramp.options, _OFFRAMP, where)
    name = options.get("name", ramp.name)
    if not _TOKEN.fullmatch(name):
        raise UsageError(
            f'{where} is called "{name}" on JetStream, which takes letters, digits, -, _ and :',
            hint='name it there in the plan: options = { name = "…" }',
        )
    if ramp.observe != "direct":
        raise UsageError(
            f'{where} is to be seen by "{ramp.observe}", but JetStream shows every message',
            hint='write observe = "direct", or leave it out',
        )
    return Ramp(
        destination=ramp.name,
        stream=f"{prefix.replace('.', '-')}-{name}",
        subject=f"{prefix}.{name}",
        exclusive=ramp.exclusive,
        max_msgs=_limit(where, options, "max_msgs"),
        max_bytes=_limit(where, options, "max_bytes"),
    )


def _apart(ramps: Iterable[Ramp]) -> None:
    seen: dict[str, str] = {}
    for ramp in ramps:
        if ramp.stream in seen:
            raise UsageError(
                f'the off-ramps "{seen[ramp.stream]}" and "{ramp.destination}" '
                "are called the same on JetStream",
                hint='give one of them another name: options = { name = "…" }',
            )
        seen[ramp.stream] = ramp.destination


def _url(spec: BusSpec, text: str) -> SplitResult:
    try:
        url = urlsplit(text.strip())
        usable = url.scheme in _SCHEMES and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f'the url of the bus "{spec.name}" is none of NATS',
            hint="write it as nats://host:4222 or tls://user:password@host:4222, "
            "several with commas between them",
        )
    return url


def _go_together(spec: BusSpec, options: Mapping[str, str]) -> None:
    if ("cert_file" in options) != ("key_file" in options):
        raise _wrong(spec, "cert_file", "given together with key_file, or not at all")
    if "nkey_file" in options and "credentials_file" in options:
        raise _wrong(spec, "nkey_file", "left out where credentials_file is given")
    if options.get("tls_first", "false") not in ("true", "false"):
        raise _wrong(spec, "tls_first", "true or false")


def _known(given: Sequence[tuple[str, str]], known: Sequence[str], where: str) -> dict[str, str]:
    for name, _ in given:
        if name not in known:
            raise UsageError(
                f'{where} has an option "{name}", which JetStream does not know',
                hint=f"it knows {', '.join(known)}",
            )
    return dict(given)


def _number(spec: BusSpec, options: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(options.get(name, default))
    except ValueError:
        raise _wrong(spec, name, "a number") from None
    if not 0 < value < 1e9:
        raise _wrong(spec, name, "a number above zero")
    return value


def _limit(where: str, options: Mapping[str, str], name: str) -> int:
    text = options.get(name, "-1")
    if text != "-1" and not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(
            f"{where}: its option {name} is no whole number above zero",
            hint="leave it out for no limit",
        )
    return int(text)


def _wrong(spec: BusSpec, option: str, wanted: str) -> UsageError:
    return UsageError(
        f'the option {option} of the bus "{spec.name}" is not usable', hint=f"it must be {wanted}"
    )
