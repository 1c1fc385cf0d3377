"""How far behind the consumer groups are that receive from an off-ramp's topics.

Topics keep what was taken, so only what a group has committed tells what it has yet to take. Which
groups these are the plan says: others, and such as are long gone, commit too.
"""

from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka import TopicPartition as Place

from loaders.kafka.connect import admin, consumer, unseen
from loaders.kafka.offsets import Partition, begins, ends, partition_counts
from loaders.kafka.settings import read_settings
from loaders.receivers import consumers_of, require_named
from migrate.core.errors import CouldNotVerify, NoGauge
from migrate.core.flow import LANES, BusSpec, OffRampSpec

Lag = dict[str, int]
"""Records that a group has yet to take, by group."""


class Gauge:
    """Asks for offsets; joins no group and commits nothing."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises NoGauge where no group is named, or an off-ramp would never be fed again."""
        self._settings = read_settings(spec, offramps)
        require_named(offramps, "the consumer groups")
        self._groups = {name: consumers_of(ramp) for name, ramp in offramps.items()}
        for name, ramp in offramps.items():
            self._check(name, ramp)
        self._admin = admin(self._settings)
        self._client = consumer(self._settings)

    def backlog(self) -> Mapping[str, int]:
        """By off-ramp, of its slowest group. Raises CouldNotVerify."""
        try:
            return {name: max(self._lag(name).values()) for name in self._groups}
        except (KafkaException, FutureTimeout) as error:
            raise unseen(
                self._settings, "does not tell what its groups have taken", error
            ) from None

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _check(self, name: str, ramp: OffRampSpec) -> None:
        """A transaction's end is a record of its own, which a group may leave uncommitted."""
        left = len(LANES) * self._settings.partitions[name] if self._settings.transactions else 0
        if ramp.backlog is not None and ramp.backlog.resume_below <= left:
            raise NoGauge(
                f'the backlog of the off-ramp "{name}" may never fall below '
                f"{ramp.backlog.resume_below:,}: each of its {left:,} partitions may have the end "
                "of a transaction that no group commits",
                hint=f"let resume_below be {left + 1:,} or more",
            )

    def _lag(self, offramp: str) -> Lag:
        topics = [self._settings.topic(offramp, lane) for lane in LANES]
        counts = partition_counts(self._client, self._settings, topics)
        for topic in topics:
            if topic not in counts:
                raise unseen(self._settings, f"has no topic {topic}")
        places = [(topic, number) for topic, count in counts.items() for number in range(count)]
        begin = begins(self._admin, self._settings, places)
        taken = {group: self._taken(group, places) for group in self._groups[offramp]}
        end = ends(self._admin, self._settings, places)
        return {
            group: sum(max(0, end[one] - max(begin[one], offsets.get(one, 0))) for one in places)
            for group, offsets in taken.items()
        }

    def _taken(self, group: str, places: list[Partition]) -> dict[Partition, int]:
        """What a group has committed; nothing is nothing taken, as long as there is the group."""
        wanted = ConsumerGroupTopicPartitions(group, [Place(*one) for one in places])
        asked = self._admin.list_consumer_group_offsets(
            [wanted], request_timeout=self._settings.patience_s
        )
        found: dict[Partition, int] = {}
        for one in asked[group].result().topic_partitions:
            if one.error is not None:
                raise KafkaException(one.error)
            if one.offset >= 0:
                found[one.topic, one.partition] = one.offset
        if not found:
            self._check_there(group)
        return found

    def _check_there(self, group: str) -> None:
        patience = self._settings.patience_s
        asked = self._admin.describe_consumer_groups([group], request_timeout=patience)
        if asked[group].result().state == ConsumerGroupState.DEAD:
            raise CouldNotVerify(
                f'the bus "{self._settings.name}" has no consumer group "{group}"',
                hint="let the receivers join it, or name it in the off-ramp's backlog as it is "
                "called; then run again",
            )
