"""The one ordered writer of a run onto a Kafka cluster."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout

from confluent_kafka import KafkaException

from loaders.kafka.connect import admin, consumer, refused
from loaders.kafka.doubts import Doubtful
from loaders.kafka.offsets import Partition, ends, partition_counts
from loaders.kafka.records import Record, records
from loaders.kafka.settings import read_settings
from loaders.kafka.write import Idempotent, Report, Transactions
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import WINDOW, Window

_UNDER_WAY = 4
_TOO_LARGE = "larger than the bus's max_message_bytes"
_BESIDE = "not sent, because of another in its window"


class Publisher:
    """With transactions (the default) a window lands whole, in order, or not at all; without, every
    record for itself, in order within its partition."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises BusRefused where a topic is not as the plan says."""
        self._settings = read_settings(spec, offramps)
        self.rejects_successors = self._settings.transactions
        self.window = WINDOW
        self.in_flight = 1 if self._settings.transactions else _UNDER_WAY
        self._admin = admin(self._settings)
        self._client = consumer(self._settings)
        self._ends: dict[Partition, int] = {}
        self._answers: deque[Receipts | Report] = deque()
        self._transactions: tuple[str, Transactions] | None = None
        self._idempotent: Idempotent | None = None
        try:
            self._check(self._settings.topics())
        except BusRefused:
            self._client.close()
            raise

    def mark(self, window: Window) -> str:
        """Offsets behind which the window will be: JSON by off-ramp, one a partition of its lane.

        They may be older than the window: nobody asks the bus again for what this run wrote
        itself. Raises BusRefused where a topic has other partitions by now.
        """
        offramps = sorted(set(window.destinations))
        topics = {self._settings.topic(offramp, window.lane): offramp for offramp in offramps}
        self._check(topics)
        unknown = [each for each in self._partitions(topics) if each not in self._ends]
        try:
            self._ends |= ends(self._admin, self._settings, unknown)
        except (KafkaException, FutureTimeout) as error:
            raise refused(self._settings, "does not say where its topics end", error) from None
        found = {
            offramp: [self._ends[each] for each in self._partitions([topic])]
            for topic, offramp in topics.items()
        }
        return json.dumps(found, separators=(",", ":"))

    def send(self, window: Window) -> None:
        """One committed transaction, or records on their way.

        Raises BusRefused when nobody knows how it ended. Where a record is too large, nothing of
        its window is sent.
        """
        outgoing = records(self._settings, window)
        too_large = self._too_large(outgoing)
        if too_large is not None:
            self._answers.append(too_large)
        elif self._settings.transactions:
            receipts = self._writer(window.run_id).land(outgoing)
            self._answers.append(receipts)
            self._remember(outgoing, receipts)
        else:
            self._idempotent = self._idempotent or Idempotent(self._settings)
            self._answers.append(self._idempotent.begin(outgoing))

    def receipts(self) -> Receipts:
        """Each confirmed delivery by its partition and offset."""
        answer = self._answers.popleft()
        if isinstance(answer, Receipts):
            return answer
        assert self._idempotent is not None
        receipts = self._idempotent.land(answer)
        self._remember(answer.records, receipts)
        return receipts

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which of a window this very run has brought onto the bus, read from there.

        With transactions the answer is final: an earlier process of the run is shut out first.
        Without, what is not found may still arrive, so None unless everything is found.
        """
        if self._settings.transactions:
            self._writer(window.run_id)
        doubtful = Doubtful(self._settings, self._admin, self._client)
        answers = doubtful.resolve(window, mark, since)
        final = self._settings.transactions or all(answers.confirmed)
        return answers if final else None

    def close(self) -> None:
        """Let go of the connections."""
        if self._transactions is not None:
            self._transactions[1].close()
        if self._idempotent is not None:
            self._idempotent.close()
        self._client.close()

    def _writer(self, run_id: str) -> Transactions:
        if self._transactions is None or self._transactions[0] != run_id:
            self._transactions = run_id, Transactions(self._settings, run_id)
        return self._transactions[1]

    def _check(self, topics: Mapping[str, object]) -> None:
        """Raises BusRefused where a topic has another number of partitions than the plan says:
        whoever reads it would find an order key in two of them."""
        try:
            counts = partition_counts(self._client, self._settings, topics)
        except KafkaException as error:
            raise refused(self._settings, "cannot be reached", error) from None
        owners = self._settings.topics()
        for topic in topics:
            wanted = self._settings.partitions[owners[topic][0]]
            if counts.get(topic) != wanted:
                found = counts.get(topic, 0)
                raise BusRefused(
                    f"the topic {topic} has {found} partitions where the plan says {wanted}"
                    if found
                    else f"the topic {topic} is not there",
                    hint="a run keeps to the partitions with which it began: make the topic as "
                    "it was, or begin a new run",
                )

    def _partitions(self, topics: Mapping[str, object] | Sequence[str]) -> list[Partition]:
        owners = self._settings.topics()
        return [
            (topic, number)
            for topic in topics
            for number in range(self._settings.partitions[owners[topic][0]])
        ]

    def _too_large(self, outgoing: Sequence[Record]) -> Receipts | None:
        limit = self._settings.max_message_bytes
        large = {at for at, record in enumerate(outgoing) if record.size > limit}
        if not large:
            return None
        problems = {at: _TOO_LARGE if at in large else _BESIDE for at in range(len(outgoing))}
        return Receipts([False] * len(outgoing), [None] * len(outgoing), problems)

    def _remember(self, outgoing: Sequence[Record], receipts: Receipts) -> None:
        """Later windows lie behind these. Raises BusRefused for one that lies before its mark."""
        for record, position in zip(outgoing, receipts.positions, strict=True):
            if position is None:
                continue
            partition = record.topic, record.partition
            offset = int(position.partition("@")[2])
            if offset < self._ends.get(partition, 0):
                raise BusRefused(
                    f"the topic {record.topic} was deleted and made anew during the run",
                    hint="what was on it is gone: begin a new run",
                )
            self._ends[partition] = offset + 1
