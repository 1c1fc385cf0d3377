"""`manifest.jsonl`: the truth about every legacy message of the estate, one line each.

Written by what made the messages, read by tests and auditors, never by the
tool. Identity is therefore written down here a second time, from its
definition and not from the tool's code:

*   a record with a declared key is known by the key's text;
*   a record of a file is known by the file's path below the spool with `/`, `#`,
    the first 16 bytes of the SHA-256 of the record's exact bytes as hexadecimal,
    `#`, and the how-manieth equal record of that file it is, from 1.

Rows that share a key or have none are named after the digest of a whole record
as well. Their lines give the beginning (the key, or the table's name), and say so:
`"legacy_id_prefix": true`. `"holds"` names members of the delivered body whose
values are part of the claim.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring as quoted
from pathlib import Path

from migrate.core.durable import create_private
from migrate.sample.truth import Outcome

_CHUNK = 2000


def file_record_ids(path: str) -> Callable[[bytes], str]:
    """A function that names the records of one file, given in order."""
    seen: Counter[bytes] = Counter()

    def name(record: bytes) -> str:
        digest = hashlib.sha256(record).digest()[:16]
        seen[digest] += 1
        return f"{path}#{digest.hex()}#{seen[digest]}"

    return name


class Manifest:
    """The file, written line by line, and the totals of what was written.

    `totals` counts (flow, fate); a flow's limits in the plan come from it.
    """

    def __init__(self, path: Path) -> None:
        self._out = create_private(path)
        self.totals: Counter[tuple[str, str]] = Counter()

    def add(self, flow: str, messages: Iterable[tuple[str, Outcome]]) -> None:
        """Write lines for messages of one flow, given as legacy id and outcome."""
        head = f'{{"flow": "{flow}", "legacy_id": '
        lines: list[str] = []
        for legacy_id, outcome in messages:
            lines.append(f"{head}{quoted(legacy_id)}, {outcome.tail}\n")
            self.totals[flow, outcome.fate] += 1
            if len(lines) == _CHUNK:
                self._out.write("".join(lines).encode())
                lines.clear()
        self._out.write("".join(lines).encode())

    def count(self, flow: str, fate: str | None = None) -> int:
        """How many messages of a flow have a fate, or all of them."""
        return sum(
            number
            for (name, kind), number in self.totals.items()
            if name == flow and fate in (None, kind)
        )

    def close(self) -> None:
        """Finish the file."""
        self._out.close()
