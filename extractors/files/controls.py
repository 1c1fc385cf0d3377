"""Control totals, each with a command that anybody can run against the folder.

The commands use find, sort, sha256sum and Python's standard library, nothing of
this tool, so that counting again with them is counting by other means.
"""

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from typing import Any

from extractors.files import globs, xml
from extractors.files.charset import DETECT, declared_charset, ordered
from extractors.files.cutters import is_document
from extractors.files.json import steps as json_steps
from extractors.files.recount import script
from extractors.files.spool import Spool
from extractors.files.survey import FileFacts
from extractors.files.trailers import Counts, count_field, total
from extractors.files.view import width_of
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Control

_STEPS = {"xml": xml.steps, "json": json_steps}
_SIZES = "awk '{ bytes += $1 } END { printf \"%d\\n\", bytes }'"
_DIGEST = "LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d ' ' -f 1"


def controls(
    folder: Spool, spec: StoreSpec, source: SourceSpec, files: Sequence[FileFacts]
) -> tuple[Control, ...]:
    """`files`, `bytes`, `sha256` of the files; `rows` and `body_bytes` of the records.

    `sha256` is that of what `sha256sum` prints for the files in their order, those in
    archives as if they were unpacked. No `body_bytes` for elements of XML and JSON, which no plain
    command measures. `declared` and `counted` where files say how many records they hold.
    """
    commands = _Commands(folder, spec, source)
    found = [
        Control("files", commands.files, str(len(files))),
        Control("bytes", commands.bytes, str(sum(facts.bytes for facts in files))),
        Control("sha256", commands.sha256, _listing_digest(files)),
        Control("rows", commands.records("rows"), str(sum(facts.records for facts in files))),
    ]
    if is_document(source.record) or source.record.format not in ("xml", "json"):
        size = sum(facts.record_bytes for facts in files)
        found.append(Control("body_bytes", commands.records("size"), str(size)))
    if source.record.trailer is not None or source.record.format == "edi":
        counts = Counts(*(sum(column) for column in zip(*map(_counts, files), strict=True)))
        for name in ("declared", "counted"):
            value = total(counts, declared=name == "declared")
            found.append(Control(name, commands.trailers(name), value))
    return tuple(found)


def _counts(facts: FileFacts) -> Counts:
    return Counts(facts.declared, facts.counted, facts.trailers, facts.right)


class _Commands:
    """The commands for a flow's files.

    Without archives find lists the files; with them a script finds what is in them too.
    """

    def __init__(self, folder: Spool, spec: StoreSpec, source: SourceSpec) -> None:
        self._spec = spec
        self._source = source
        self._packed = bool(folder.archives())
        self._change = f"cd {shlex.quote(str(folder.root))}"
        self._find = f"{self._change} && {_find(spec, source)}"

    @property
    def files(self) -> str:
        """How many files."""
        return self._of_files("rows") if self._packed else f"{self._find} -printf . | wc -c"

    @property
    def bytes(self) -> str:
        """How long they are together."""
        if self._packed:
            return self._of_files("size")
        return f"{self._find} -printf '%s\\n' | {_SIZES}"

    @property
    def sha256(self) -> str:
        """The digest of their digests."""
        if self._packed:
            return self._of_files("lines.hexdigest()")
        return f"{self._find} -print0 | {_DIGEST}"

    def records(self, what: str) -> str:
        """`rows` or `size` of the records."""
        if is_document(self._source.record):
            return self.files if what == "rows" else self.bytes
        return self._run(script(self._source.record.format, packed=self._packed), what)

    def trailers(self, name: str) -> str:
        """What trailers declare, or what is counted."""
        program = script(self._source.record.format, packed=self._packed, trailers=True)
        return self._run(program, name)

    def _of_files(self, what: str) -> str:
        return self._run(script(None, packed=True), what)

    def _run(self, program: str, total: str) -> str:
        filled = shlex.quote(_filled(program, self._spec, self._source, total))
        if self._packed:
            return f"{self._change} && python3 -c {filled}"
        return f"{self._find} -print0 | python3 -c {filled}"


def _find(spec: StoreSpec, source: SourceSpec) -> str:
    """The command that lists a flow's files."""
    tests = [f"-regex {_regex(source.from_)}"]
    tests += [f"! -regex {_regex(glob)}" for glob, _ in spec.out_of_scope if _is_glob(glob)]
    return f"find . -type f -regextype posix-extended {' '.join(tests)}"


def _regex(glob: str) -> str:
    return shlex.quote(rf"\./{globs.expression(glob)}")


def _is_glob(key: str) -> bool:
    return "#" not in key.rpartition("/")[2]


def _filled(program: str, spec: StoreSpec, source: SourceSpec, total: str) -> str:
    """A program with its constants."""
    record = source.record
    closed = [globs.expression(glob) for glob, _ in spec.out_of_scope if _is_glob(glob)]
    left_out = [key.rpartition("#")[2] for key, _ in spec.out_of_scope if not _is_glob(key)]
    constants: dict[str, str] = {
        "CHARSET": _charset(source),
        "TOTAL": total,
        "DECLARED": str(total == "declared"),
        "EACH": str(record.each is not None),
        "FROM": repr(globs.expression(source.from_)),
        "LEFTOUT": repr(closed),
        "HEADER": str(record.header),
        "DIALECT": _dialect(source),
        "ENDING": _text("\n" if record.format == "jsonl" else "\r\n|\r|\n"),
        "BLANKS": _text(" \t\r\n" if record.format == "jsonl" else "\r\n"),
    }
    if record.format == "csv":
        constants["TAKEN"] = f"[{_text(record.record_type)}]" if record.record_type else "row"
        constants["LEFT_OUT"] = json.dumps(left_out)
    else:
        constants["TAKEN"] = _text(record.record_type or "")
        constants["LEFT_OUT"] = f"({''.join(_text(one) + ', ' for one in left_out)})"
    if record.each and record.format in _STEPS:
        constants["STEPS"] = json.dumps(list(_STEPS[record.format](record.each)))
    if record.trailer is not None:
        csv = record.format == "csv"
        constants["TRAILER"] = repr(record.trailer.type)
        constants["BESIDES"] = repr(list(record.trailer.besides) if csv else record.trailer.besides)
        count = record.trailer.count
        constants["FIELD"] = str(count_field(count) - 1) if csv else count
    return re.sub(r"\b[A-Z]+(?:_OUT)?\b", lambda name: constants.get(name[0], name[0]), program)


def _charset(source: SourceSpec) -> str:
    """One character a byte will do, unless code units are wider."""
    charset = declared_charset(source)
    if source.record.format == "xml":
        plain = charset in (DETECT, "utf-8") or width_of(charset) > 1
        return "None" if plain else _text(charset)
    return _text("latin-1" if charset == DETECT or width_of(charset) == 1 else ordered(charset))


def _dialect(source: SourceSpec) -> str:
    delimiter = f"delimiter={_text(source.record.delimiter)}"
    quote = source.record.quote
    return f"{delimiter}, {f'quotechar={_text(quote)}' if quote else 'quoting=csv.QUOTE_NONE'}"


def _text(value: Any) -> str:
    return json.dumps(value)


def _listing_digest(files: Sequence[FileFacts]) -> str:
    """SHA-256 of the lines of sha256sum, which escapes backslashes and line ends in names."""
    lines = hashlib.sha256()
    for facts in files:
        name = facts.path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if name != facts.path else ""
        lines.update(f"{mark}{facts.sha256}  ./{name}\n".encode())
    return lines.hexdigest()
