"""A page of ACTIVEMQ_MSGS decoded: what may be done in another process.

A job is a page's columns and the subscriptions of its moment; its result is a legacy segment
whose positions begin with 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from extractors.activemq.records import Records, Unit
from extractors.activemq.subscriptions import Subscription, Subscriptions
from extractors.activemq.tables import TOPIC
from extractors.sql.cells import Cells, texts
from extractors.sql.pages import Tuple
from migrate.core.flow import SourceSpec
from migrate.core.identity import key_text

COLUMNS = ("ID", "CONTAINER", "MSGID_PROD", "MSGID_SEQ", "PRIORITY")


@dataclass(frozen=True, slots=True)
class Job:
    """`rows`: COLUMNS as large_string, `frame` large_binary; `last`: where the page ends; `shared`:
    message ids that several rows of the source have."""

    rows: pa.RecordBatch
    last: Tuple
    waiting: Subscriptions | None
    shared: frozenset[str]


def job_of(
    cells: Sequence[Cells | None],
    frames: pa.Array,
    last: Tuple,
    waiting: Subscriptions | None,
    shared: frozenset[str],
) -> Job:
    """A job of a page's cells, None where the table lacks the column."""
    rows = len(frames)
    columns = [texts(one) if one else pa.nulls(rows, pa.large_string()) for one in cells]
    batch = pa.RecordBatch.from_arrays([*columns, frames], names=[*COLUMNS, "frame"])
    return Job(batch, last, waiting, shared)


@dataclass(frozen=True, slots=True)
class Decoding:
    """Decodes the jobs of one source."""

    source: SourceSpec
    max_inflated: int

    def __call__(self, job: Job) -> pa.Table:
        """The job's messages in core.schema.LEGACY."""
        records = Records(self.source, self.max_inflated)
        columns = [column.to_pylist() for column in job.rows.columns]
        for number, container, producer, sequence, priority, data in zip(*columns, strict=True):
            name = legacy_id(number, producer, sequence, job.shared)
            units = _units(job.waiting, container, number, priority, name)
            if units:
                records.add(data, container, units, stored_id(producer, sequence))
        return records.table(0)


def _units(
    waiting: Subscriptions | None, container: str, number: str, priority: str | None, name: str
) -> list[Unit]:
    """The message itself; of a topic, one for each subscription that waits for it."""
    if waiting is None or not container.startswith(TOPIC):
        return [Unit(f'["{number}"]', name)]
    subscriptions = waiting.waiting(container, int(number), priority)
    return [topic_unit(number, name, one) for one in subscriptions]


def stored_id(producer: str | None, sequence: str | None) -> str | None:
    """The message id that the row keeps beside the frame."""
    return None if producer is None or sequence is None else f"{producer}:{sequence}"


def legacy_id(
    number: str, producer: str | None, sequence: str | None, shared: frozenset[str]
) -> str:
    """The message id; `row:ID` where the row has none, `…#ID` where others have it too."""
    found = stored_id(producer, sequence)
    if found is None:
        return f"row:{number}"
    if shared and key_text([producer, sequence]) in shared:
        return f"{found}#{number}"
    return found


def topic_unit(number: str, name: str, subscription: Subscription) -> Unit:
    """What one subscription has still to get of a message."""
    headers: list[str | None] = ["activemq.subscription", "text", subscription.label]
    if subscription.selector is not None:
        headers += ("activemq.selector", "text", subscription.selector)
    key = key_text([number, subscription.client, subscription.name])
    return Unit(key, f"{name}@{subscription.label}", headers)
