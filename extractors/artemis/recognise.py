"""Whether a file, or a folder of files, was exported from Apache ActiveMQ Artemis."""

import re
from collections.abc import Iterator
from functools import partial

from extractors.artemis.store import ArtemisExportStore
from extractors.exports.recognise import all_begin, draft_queues
from migrate.core.proposal import Place, Recognised

_EXPORT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>)?\s*"
    rb"(?:<activemq-journal\b|<messages>\s*<message\s[^>]*\btimestamp=)"
)


def recognise(place: Place) -> Iterator[Recognised]:
    """`artemis-export` by the root element: of `artemis data exp`, or `artemis consumer --data`."""
    if all_begin(place, lambda head: _EXPORT.match(head) is not None):
        draft = partial(draft_queues, place, "artemis-export", ArtemisExportStore)
        yield Recognised("artemis-export", "export of Apache ActiveMQ Artemis", True, draft)
