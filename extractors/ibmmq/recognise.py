"""Whether a file, or a folder of files, was dumped from queues of IBM MQ."""

import re
from collections.abc import Iterator
from functools import partial

from extractors.exports.recognise import all_begin, draft_queues
from extractors.ibmmq.store import IbmMqDumpStore
from migrate.core.proposal import Place, Recognised

_DUMP = re.compile(rb"\s*(?:\*\s*(?:QLOAD|DMPMQMSG)\b|AMQSBCG0\b)")


def recognise(place: Place) -> Iterator[Recognised]:
    """`ibmmq-dump` by the first line that dmpmqmsg, qload and amqsbcg write."""
    if all_begin(place, lambda head: _DUMP.match(head) is not None):
        draft = partial(draft_queues, place, "ibmmq-dump", IbmMqDumpStore)
        yield Recognised("ibmmq-dump", "dump of IBM MQ queues", True, draft)
