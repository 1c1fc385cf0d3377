"""Giving a window's records to the cluster: as one transaction, or idempotently without.

Every record has a delivery report of its own, and only what that says, and the transaction's end,
is believed. An error whose outcome nobody knows leaves the window in doubt and the client
behind: its successor begins anew.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from loaders.kafka.connect import code_of, producer, refused
from loaders.kafka.offsets import place
from loaders.kafka.records import Record
from loaders.kafka.settings import Settings
from migrate.core.errors import BusRefused
from migrate.core.ports import Receipts

NOT_COMMITTED = "not committed with the rest of its window"

_NEVER_TAKEN = frozenset(
    {
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.POLICY_VIOLATION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
"""What a broker answers before it has written anything, and so for good."""

_TAKEN_BACK = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})
"""What the client says of records that it let go of itself."""

_BROKEN = (KafkaException, SystemError)
"""What polling raises after an error that is for good; the second where a report was just being
delivered, which the client (2.16.1) does with the first one pending."""

_PATIENT_S = 5.0  # beyond the client's own time limit, in which it must have given up


class Report:
    """A window's delivery reports, as they come."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.delivered = [False] * len(records)
        self.offsets: list[int | None] = [None] * len(records)
        self.errors: dict[int, KafkaError] = {}
        self.missing = len(records)

    def note(self, at: int, error: KafkaError | None, message: Any) -> None:
        """What became of one record; called by the client."""
        self.missing -= 1
        if error is None:
            self.delivered[at] = True
            self.offsets[at] = message.offset()
        else:
            self.errors[at] = error

    def receipts(self) -> Receipts:
        """Where each record lies; an error is one that will not change.

        Of a record that was asked for again and that a broker had already, it does not say where.
        """
        places = [
            None if offset is None else place(record.partition, offset)
            for record, offset in zip(self.records, self.offsets, strict=True)
        ]
        return Receipts(self.delivered, places, self._problems())

    def nothing_landed(self) -> Receipts:
        """That the whole window was taken back."""
        problems = {**dict.fromkeys(range(len(self.records)), NOT_COMMITTED), **self._problems()}
        nowhere: list[str | None] = [None] * len(self.records)
        return Receipts([False] * len(self.records), nowhere, problems)

    def _problems(self) -> dict[int, str]:
        return {
            at: f"refused ({code_of(error)})"
            for at, error in self.errors.items()
            if error.code() not in _TAKEN_BACK
        }


class _Writer:
    """A client that is let go of for good when something is not known."""

    def __init__(self, settings: Settings, transactional_id: str | None) -> None:
        self._settings = settings
        self._client: Producer = producer(settings, transactional_id)

    def _produce(self, report: Report) -> None:
        """Hand records over; the client's queue may be full for a while. Raises BusRefused."""
        until = time.monotonic() + self._settings.patience_s
        for at, record in enumerate(report.records):
            while not self._taken(record, partial(report.note, at)):
                if time.monotonic() > until:
                    raise self._doubt("does not take messages any more")
                self._poll(0.1)
        self._poll(0)

    def _taken(self, record: Record, told: Any) -> bool:
        try:
            self._client.produce(
                record.topic,
                record.value,
                record.key,
                record.partition,
                on_delivery=told,
                headers=record.headers,
            )
        except BufferError:
            return False
        except KafkaException as error:
            raise self._doubt("does not take a message", error) from None
        return True

    def _wait(self, report: Report) -> None:
        """Until every report is there. Raises BusRefused."""
        until = time.monotonic() + self._settings.patience_s + _PATIENT_S
        while report.missing:
            self._poll(0.1)
            if time.monotonic() > until:
                raise self._doubt("does not say what became of its messages")

    def _poll(self, seconds: float) -> None:
        """Let reports come in. Raises BusRefused once the client is of no use any more."""
        try:
            self._client.poll(seconds)
        except _BROKEN as error:
            raise self._doubt("has shut this client out", error) from None

    def _doubt(self, what: str, error: Exception | None = None) -> BusRefused:
        return refused(self._settings, what, error)

    def close(self) -> None:
        """Drop what is still on its way here; nothing of it was ever said to be confirmed."""
        with suppress(*_BROKEN):
            self._client.purge()
            self._client.flush(0)


class Transactions(_Writer):
    """Every window is a transaction: it lands whole, or not at all.

    The transactional id is the run's: who begins under it ends what an earlier process of the
    run left open, and shuts that process out should it still live.
    """

    def __init__(self, settings: Settings, run_id: str) -> None:
        """Raises BusRefused."""
        super().__init__(settings, f"isb-migrate.{settings.prefix}{run_id}")
        try:
            self._client.init_transactions(settings.patience_s)
        except KafkaException as error:
            raise self._doubt("does not begin transactions", error) from None

    def land(self, records: Sequence[Record]) -> Receipts:
        """One transaction. Raises BusRefused where nobody knows how it ended."""
        report = Report(records)
        try:
            self._client.begin_transaction()
            self._produce(report)
            self._client.flush(self._settings.patience_s)
            self._wait(report)
            if not report.errors and self._commit():
                return report.receipts()
            self._patiently(self._client.abort_transaction)
        except _BROKEN as error:
            raise self._doubt("did not end a transaction", error) from None
        return report.nothing_landed()

    def _commit(self) -> bool:
        """Whether it was committed; if not, it has to be aborted."""
        try:
            self._patiently(self._client.commit_transaction)
        except KafkaException as error:
            if error.args[0].txn_requires_abort():
                return False
            raise
        return True

    def _patiently(self, end: Any) -> None:
        """End a transaction; asked again as long as the client says that this may help."""
        until = time.monotonic() + self._settings.patience_s
        while True:
            try:
                end(max(0.1, until - time.monotonic()))
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > until:
                    raise
            else:
                return


class Idempotent(_Writer):
    """Records on their way without a transaction: repeats within this process are dropped by the
    brokers, those of another are not."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, None)

    def begin(self, records: Sequence[Record]) -> Report:
        """Hand a window over. Raises BusRefused."""
        report = Report(records)
        self._produce(report)
        return report

    def land(self, report: Report) -> Receipts:
        """What became of a window. Raises BusRefused where that is not known of all of it."""
        self._wait(report)
        for error in report.errors.values():
            if error.code() not in _NEVER_TAKEN:
                raise self._doubt("did not confirm a message", KafkaException(error))
        return report.receipts()
