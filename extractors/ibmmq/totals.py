"""Counting dumps by other means than the reader: grep, and Python's standard library."""

from extractors.exports.controls import grep_total, python_total
from extractors.files import globs
from migrate.core.flow import SourceSpec

_ROWS = r"^(A MSI |N[[:space:]]*$| ?MQGET of message number )"
_SCRIPT = r"""
import os, re, sys
total = 0
def count(queue, path, form, body):
    global total
    if QUEUE and queue != QUEUE and not re.fullmatch(FILES, path, re.S):
        return
    while form in ("MQHRF2", "MQDEAD"):
        if form == "MQDEAD":
            form, body = body[116:124], body[172:]
        else:
            big = "big" if body[4:8] == b"\0\0\0\2" else "little"
            form, body = body[20:28], body[int.from_bytes(body[8:12], big):]
        form = form.decode("latin-1").rstrip("\0 ")
    total += 1 if ROWS else len(body)
for name in filter(None, sys.stdin.buffer.read().split(b"\0")):
    path = os.fsdecode(name)[2:]
    queue, form, body, inside = path, "", b"", None
    for line in open(name, "rb"):
        text = line.decode("latin-1").rstrip("\r\n")
        begins = re.match(r"(A|N|X|S|T)( |$)", text)
        printed = re.match(r"([0-9A-F]{8}):([0-9A-F ]*)'", text)
        if re.match(r" ?MQGET of message number", text) or begins and begins[1] in "AN" and inside:
            if inside is not None:
                count(queue, path, form, body)
            form, body, inside = "", b"", False
        if re.match(r"\* (QLOAD|DMPMQMSG)|AMQSBCG0 - starts", text):
            if inside is not None:
                count(queue, path, form, body)
            queue, body, inside = path, b"", None
        named = re.match(r"\* Queue\s*=\s*(\S+)| ?MQOPEN - '(.*?) *'", text)
        if named:
            queue = named[1] or named[2]
        kind = re.match(r"A FMT (.*)|  Format : '(.*)'", text)
        if kind:
            form = (kind[1] or kind[2] or "").rstrip()
        if begins and begins[1] in "XST":
            inside, rest = True, text[2:]
            quoted = re.fullmatch(r' *"(.*)" *', rest, re.S)
            if begins[1] == "X":
                body += bytes.fromhex(re.match("[0-9A-Fa-f]*", rest)[0])
            elif begins[1] == "T":
                body += rest.encode("latin-1") + b"\n"
            elif quoted:
                body += re.sub("~(.)", r"\1", quoted[1]).encode("latin-1")
            else:
                body += rest.strip(" ").encode("latin-1")
        elif begins and inside is None:
            inside = False
        if printed:
            body += bytes.fromhex(printed[2])
    if inside is not None:
        count(queue, path, form, body)
print(total)
"""


def totals(listing: str, root: str, source: SourceSpec) -> tuple[str, str]:
    """See extractors.exports.unit.Format."""
    del root
    size = python_total(listing, _script(source, rows=False))
    if source.from_ == "*":
        return grep_total(listing, _ROWS), size
    return python_total(listing, _script(source, rows=True)), size


def _script(source: SourceSpec, *, rows: bool) -> str:
    queue = None if source.from_ == "*" else source.from_
    constants = f"QUEUE, FILES, ROWS = {queue!a}, {_files(source.from_)!a}, {rows}"
    return f"{constants}{_SCRIPT}"


def _files(glob: str) -> str:
    """The expression of a glob of files; one that matches nothing where it is none."""
    try:
        return globs.expression(glob)
    except ValueError:
        return "(?!)"
