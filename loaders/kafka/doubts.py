"""What became of a window in doubt: its topics are read from where it was to go."""

import json
from collections.abc import Mapping
from concurrent.futures import TimeoutError as FutureTimeout

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.admin import AdminClient

from loaders.kafka.connect import refused
from loaders.kafka.offsets import Extent, Partition, extents, place, starts_of
from loaders.kafka.partition import partition_of
from loaders.kafka.read import Stalled, read
from loaders.kafka.records import shown
from loaders.kafka.settings import Settings
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.ports import Receipts
from migrate.core.window import Window

Found = dict[tuple[str, str], str]
"""Places by topic and message id."""


class Doubtful:
    """Asks the cluster for the deliveries of a window."""

    def __init__(self, settings: Settings, admin: AdminClient, client: Consumer) -> None:
        self._settings, self._admin, self._client = settings, admin, client

    def resolve(self, window: Window, mark: str | None, since: Mapping[str, str]) -> Receipts:
        """Which of a window this very run has brought onto the bus behind its start positions.

        Raises BusRefused where the cluster cannot be asked, or not to the end.
        """
        starts = self._starts(window, mark, since)
        try:
            spans = self._spans(starts)
            found = self._find(window.run_id, spans)
        except (KafkaException, FutureTimeout) as error:
            raise refused(self._settings, "cannot be asked for a window", error) from None
        except Stalled:
            raise refused(self._settings, "stopped answering before a topic's end") from None
        topics = [self._settings.topic(offramp, window.lane) for offramp in window.destinations]
        places = [found.get(key) for key in zip(topics, window.message_ids, strict=True)]
        absent = {at: "absent" for at, position in enumerate(places) if position is None}
        return Receipts([position is not None for position in places], places, absent)

    def _starts(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> dict[Partition, int]:
        """Where to begin in every partition to which the window went."""
        keys = zip(window.destinations, window.order_keys, window.message_ids, strict=True)
        wanted = {
            (offramp, partition_of(key, message_id, self._settings.partitions[offramp]))
            for offramp, key, message_id in keys
        }
        try:
            marks: dict[str, list[int]] = json.loads(mark) if mark else {}
            begun = {offramp: starts_of(since.get(offramp)) for offramp, _ in wanted}
            return {
                (self._settings.topic(offramp, window.lane), number): max(
                    _at(marks.get(offramp), number), _at(begun[offramp].get(window.lane), number)
                )
                for offramp, number in sorted(wanted)
            }
        except (ValueError, IndexError, AttributeError):
            raise CouldNotVerify(
                f'the marks of a window are not those of the Kafka bus "{self._settings.name}"',
                hint="put back true copies of baseline.json and receipts/load.log",
            ) from None

    def _spans(self, starts: Mapping[Partition, int]) -> dict[Partition, tuple[int, int]]:
        found = extents(self._admin, self._settings, starts)
        for each, start in starts.items():
            self._refuse_hidden(each[0], start, found[each])
        return {
            each: (max(start, found[each].begin), found[each].end) for each, start in starts.items()
        }

    def _refuse_hidden(self, topic: str, start: int, extent: Extent) -> None:
        if start > extent.end:
            raise BusRefused(
                f"the topic {topic} was deleted and made anew during the run",
                hint="what was on it is gone: begin a new run",
            )
        if extent.begin > start:
            raise BusRefused(
                f"the topic {topic} has dropped records that the run must look through",
                hint="look at its retention: nobody can say any more what it held",
            )
        if extent.settled < extent.end:
            raise BusRefused(
                f"a transaction that has not ended hides the end of {topic}",
                hint="another producer's; once it has ended, run again",
            )

    def _find(self, run_id: str, spans: Mapping[Partition, tuple[int, int]]) -> Found:
        """The first place of each delivery of the run."""
        found: Found = {}
        for messages in read(self._client, spans, self._settings.patience_s):
            for message in messages:
                says = shown(message)
                if says.run_id == run_id and says.message_id is not None:
                    at = place(message.partition(), message.offset())
                    found.setdefault((message.topic(), says.message_id), at)
        return found


def _at(ends: list[int] | None, number: int) -> int:
    return ends[number] if ends else 0
