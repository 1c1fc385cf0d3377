"""Make the topics exist: one an off-ramp and lane, as the plan's options say."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ConfigResource, NewTopic, ResourceType

from loaders.kafka.connect import admin, consumer, refused
from loaders.kafka.offsets import partition_counts
from loaders.kafka.settings import Settings, read_settings
from migrate.core.errors import BusRefused
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Piece

_CONFIGS = (
    "cleanup.policy",
    "max.message.bytes",
    "message.timestamp.type",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
)


class Provisioner:
    """Creates topics, idempotently; one that differs is refused, never altered.

    With `topics = "existing"` nothing is created, and settings are not asked for: only what any
    client may know is compared, a topic's partitions and replicas.
    """

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._settings = read_settings(spec, offramps)
        self._admin = admin(self._settings)

    def wanted(self) -> Sequence[Piece]:
        """A topic for every off-ramp and lane."""
        return [
            Piece("topic", topic, self._wanted(offramp))
            for topic, (offramp, _) in self._settings.topics().items()
        ]

    def present(self) -> Sequence[Piece]:
        """Those topics that are there, and others that are named as ours."""
        try:
            return self._present()
        except (KafkaException, FutureTimeout) as error:
            raise refused(self._settings, "does not show its topics", error) from None

    def provision(self) -> None:
        """Make what is missing. Raises BusRefused for what is there and differs."""
        held = {piece.name: piece for piece in self.present()}
        missing = [piece for piece in self.wanted() if piece.name not in held]
        if missing and not self._settings.creates:
            raise BusRefused(
                f"the topic {missing[0].name} is not there",
                hint='have it made, or leave out topics = "existing"',
            )
        self._refuse_differing(held)
        try:
            self._create(missing)
            self._await({piece.name for piece in missing})
        except (KafkaException, FutureTimeout) as error:
            raise refused(self._settings, "does not make topics", error) from None
        if missing:
            self._refuse_differing({piece.name: piece for piece in self.present()})

    def close(self) -> None:
        """Nothing is held open that needs an end."""

    def _wanted(self, offramp: str) -> dict[str, str]:
        shape = {
            "partitions": str(self._settings.partitions[offramp]),
            "replication": str(self._settings.replication),
        }
        return shape | _configs(self._settings) if self._settings.creates else shape

    def _present(self) -> list[Piece]:
        topics = self._admin.list_topics(timeout=self._settings.patience_s).topics
        ours = [name for name in topics if self._is_ours(name)]
        configs = self._described(ours) if self._settings.creates else {}
        return [Piece("topic", name, _shape(topics[name]) | configs.get(name, {})) for name in ours]

    def _is_ours(self, topic: str) -> bool:
        named = topic.startswith(self._settings.prefix) and topic.endswith(
            tuple(f".{lane}" for lane in LANES)
        )
        return topic in self._settings.topics() or (bool(self._settings.prefix) and named)

    def _described(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        if not resources:
            return {}
        asked = self._admin.describe_configs(resources, request_timeout=self._settings.patience_s)
        found: dict[str, dict[str, str]] = {}
        for resource, future in asked.items():
            entries = future.result()
            found[resource.name] = {
                name: str(entries[name].value) for name in _CONFIGS if name in entries
            }
        return found

    def _create(self, missing: Sequence[Piece]) -> None:
        if not missing:
            return
        asked = self._admin.create_topics(
            [
                NewTopic(
                    piece.name,
                    num_partitions=int(piece.settings["partitions"]),
                    replication_factor=self._settings.replication,
                    config=_configs(self._settings),
                )
                for piece in missing
            ],
            request_timeout=self._settings.patience_s,
        )
        for future in asked.values():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    def _await(self, topics: set[str]) -> None:
        """Until the cluster shows what it made: creation is answered before every broker knows."""
        until = time.monotonic() + self._settings.patience_s
        client = consumer(self._settings)
        try:
            while topics - partition_counts(client, self._settings, topics).keys():
                if time.monotonic() > until:
                    raise refused(self._settings, "does not show the topics it made")
                time.sleep(0.1)
        finally:
            client.close()

    def _refuse_differing(self, held: Mapping[str, Piece]) -> None:
        for piece in self.wanted():
            found = held.get(piece.name, piece).settings
            wrong = [name for name, value in piece.settings.items() if found.get(name) != value]
            if wrong:
                name = wrong[0]
                raise BusRefused(
                    f"the topic {piece.name} has {name} = {found.get(name, 'unknown')}, "
                    f"wanted is {piece.settings[name]}",
                    hint="alter it, name another prefix, or say what it has in the plan's options",
                )


def _configs(settings: Settings) -> dict[str, str]:
    """Kept for good, deleted never compacted: no retention takes an old event for an expired one
    (KIP-870), and a record's time is that of its arrival."""
    return {
        "cleanup.policy": "delete",
        "max.message.bytes": str(settings.max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(settings.min_insync_replicas),
        "retention.bytes": "-1",
        "retention.ms": "-1",
    }


def _shape(topic: Any) -> dict[str, str]:
    """What every client is told of a topic."""
    replicas = {len(partition.replicas) for partition in topic.partitions.values()}
    return {
        "partitions": str(len(topic.partitions)),
        "replication": "/".join(str(count) for count in sorted(replicas)),
    }
