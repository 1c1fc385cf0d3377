"""Counting an export by other means than the reader: grep, and Python's standard library.

The exporter writes every `<queue …/>` on a line of its own; without any (`artemis
consumer`) messages are counted. `body_bytes` holds but for maps, which the reader
turns into JSON: there the command counts their stored bytes.
"""

from xml.sax.saxutils import escape

from extractors.exports.controls import grep_total, python_total
from migrate.core.flow import SourceSpec

_SCRIPT = """
import base64, sys
import xml.etree.ElementTree as tree
QUEUE = QUEUE_NAME
total = 0
for path in filter(None, sys.stdin.buffer.read().split(b"\\0")):
    within = []
    for event, one in tree.iterparse(path, ("start", "end")):
        if event == "start":
            within.append(one)
            continue
        within.pop()
        if one.tag != "message":
            continue
        queues = [queue.get("name") for queue in one.iter("queue")]
        times = queues.count(QUEUE) if QUEUE else len(queues) or 1
        parts = (one.findtext("body") or "").split()
        body = b"".join(base64.urlsafe_b64decode(part) for part in parts)
        if one.get("type") == "text":
            body = body[5:].decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
        if one.get("type") == "object":
            body = body[4:]
        total += times * len(body)
        (within[-1] if within else one).clear()
print(total)
"""


def totals(listing: str, root: str, source: SourceSpec) -> tuple[str, str]:
    """See extractors.exports.unit.Format."""
    del root
    everything = source.from_ == "*"
    name = None if everything else source.from_
    script = _SCRIPT.replace("QUEUE_NAME", ascii(name))
    return grep_total(listing, _pattern(name)), python_total(listing, script)


def _pattern(name: str | None) -> str:
    if name is None:
        return "<queue name="
    written = escape(name, {'"': "&quot;"})
    special = "".join(f"\\{one}" if one in ".[]{}()*+?^$|\\" else one for one in written)
    return f'<queue name="{special}"'
