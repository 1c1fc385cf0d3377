"""What a plan says of a Kafka bus: its URL, and the options of the bus and of its off-ramps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from migrate.core.errors import UsageError
from migrate.core.flow import LANES, BusSpec, OffRampSpec

_SECURITY = {"kafka": "PLAINTEXT", "kafka+tls": "SSL"}
_WITH_ACCOUNT = {"PLAINTEXT": "SASL_PLAINTEXT", "SSL": "SASL_SSL"}
_MECHANISMS = ("scram-sha-512", "scram-sha-256", "plain")
_TOPIC_NAME = 249
_LONGEST_S = 450  # half of transaction.max.timeout.ms, as brokers have it by default
_TOPIC_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


@dataclass(frozen=True, slots=True)
class Settings:
    """A Kafka bus as the plan describes it.

    `partitions`: how many each off-ramp's topics have, the same for all lanes of it; it is part
    of the sealed plan and so does not change within a run.
    """

    name: str
    servers: str
    prefix: str
    partitions: Mapping[str, int]
    replication: int
    min_insync_replicas: int
    max_message_bytes: int
    transactions: bool
    creates: bool
    patience_s: float
    connection: Mapping[str, str] = field(repr=False)

    def topic(self, offramp: str, lane: str) -> str:
        """The topic of a lane."""
        return f"{self.prefix}{offramp}.{lane}"

    def topics(self) -> dict[str, tuple[str, str]]:
        """Every topic of the plan, with its off-ramp and lane."""
        return {
            self.topic(offramp, lane): (offramp, lane)
            for offramp in self.partitions
            for lane in LANES
        }


def read_settings(spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> Settings:
    """The settings behind a plan's bus. Raises UsageError naming the key and the remedy."""
    where = f"bus.{spec.name}"
    servers, connection = _url(spec, where)
    options = _Options(dict(spec.options), f"{where}.options")
    replication = options.whole("replication", 3)
    mechanism = options.one_of("mechanism", _MECHANISMS)
    if "sasl.username" in connection:
        connection["sasl.mechanism"] = mechanism.upper()
    connection |= options.files()
    settings = Settings(
        name=spec.name,
        servers=servers,
        prefix=options.text("prefix", "metip."),
        partitions=_partitions(options.whole("partitions", 6), offramps),
        replication=replication,
        min_insync_replicas=options.whole("min_insync_replicas", max(1, replication - 1)),
        max_message_bytes=options.whole("max_message_bytes", 1_048_588, at_least=1_024),
        transactions=options.one_of("transactions", ("true", "false")) == "true",
        creates=options.one_of("topics", ("create", "existing")) == "create",
        patience_s=float(options.whole("patience_s", 60)),
        connection=connection,
    )
    options.nothing_else()
    _check(settings, connection["security.protocol"], where)
    return settings


def _url(spec: BusSpec, where: str) -> tuple[str, dict[str, str]]:
    """Bootstrap servers, and what the client is to be told of security."""
    scheme, found, rest = spec.url.partition("://")
    account, at, servers = rest.rstrip("/").rpartition("@")
    if not found or scheme not in _SECURITY or not servers or set(servers) & set("/?#"):
        raise UsageError(
            f"{where}.url names no Kafka cluster",
            hint="write kafka://host:9092,host:9092, or kafka+tls:// for TLS; an account goes "
            "before an @, everything else into options",
        )
    protocol = _SECURITY[scheme]
    if not at:
        return servers, {"security.protocol": protocol}
    user, _, password = account.partition(":")
    return servers, {
        "security.protocol": _WITH_ACCOUNT[protocol],
        "sasl.username": unquote(user),
        "sasl.password": unquote(password),
    }


def _partitions(default: int, offramps: Mapping[str, OffRampSpec]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, offramp in offramps.items():
        options = _Options(dict(offramp.options), f"offramp.{name}.options")
        counts[name] = options.whole("partitions", default)
        options.nothing_else()
    return counts


def _check(settings: Settings, protocol: str, where: str) -> None:
    if settings.min_insync_replicas > settings.replication:
        raise UsageError(
            f"{where}.options.min_insync_replicas is more than there are replicas",
            hint="write at most the number in replication",
        )
    if settings.patience_s > _LONGEST_S:
        raise UsageError(
            f"{where}.options.patience_s: no such value",
            hint=f"write {_LONGEST_S} at most: brokers end transactions that take longer",
        )
    files = [name for name in settings.connection if name.startswith("ssl.")]
    if files and not protocol.endswith("SSL"):
        raise UsageError(
            f"{where}.options name files for TLS, and its url has none",
            hint="write kafka+tls:// in the url",
        )
    apart: dict[str, str] = {}
    for topic in settings.topics():
        if len(topic) > _TOPIC_NAME or not _TOPIC_CHARACTERS.issuperset(topic):
            raise UsageError(
                f'"{topic}" cannot be the name of a Kafka topic',
                hint="letters, digits, dots, hyphens and underscores, 249 at most: give the "
                "off-ramp, or the option prefix, another name",
            )
        other = apart.setdefault(topic.replace(".", "_"), topic)
        if other != topic:
            raise UsageError(
                f'Kafka takes the topics "{other}" and "{topic}" for one',
                hint="it does not tell a dot from an underscore: rename an off-ramp",
            )


class _Options:
    """Options of one section of the plan, each taken once."""

    def __init__(self, given: dict[str, str], where: str) -> None:
        self._left, self._where = given, where
        self._known: list[str] = []

    def text(self, name: str, default: str) -> str:
        self._known.append(name)
        return self._left.pop(name, default)

    def whole(self, name: str, default: int, *, at_least: int = 1) -> int:
        text = self.text(name, str(default))
        if not text.isascii() or not text.isdigit() or not at_least <= int(text) < 2**31:
            raise self._wrong(name, f"write a whole number, {at_least} or more")
        return int(text)

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        text = self.text(name, words[0])
        if text not in words:
            raise self._wrong(name, f"write one of {', '.join(words)}")
        return text

    def files(self) -> dict[str, str]:
        """Certificates and keys, under the client's names."""
        names = {
            "ca_file": "ssl.ca.location",
            "certificate_file": "ssl.certificate.location",
            "key_file": "ssl.key.location",
        }
        found = {key: self.text(name, "") for name, key in names.items()}
        return {key: path for key, path in found.items() if path}

    def nothing_else(self) -> None:
        for name in self._left:
            raise self._wrong(name, f"known: {', '.join(sorted(self._known))}", "unknown")

    def _wrong(self, name: str, hint: str, what: str = "no such value") -> UsageError:
        return UsageError(f"{self._where}.{name}: {what}", hint=hint)
