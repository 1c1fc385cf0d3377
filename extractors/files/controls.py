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
from extractors.files.recount import SCRIPTS
from extractors.files.survey import FileFacts
from extractors.files.view import width_of
from extractors.files.walk import Folder
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Control

_SIZES = "awk '{ bytes += $1 } END { printf \"%d\\n\", bytes }'"
_DIGEST = "LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -d ' ' -f 1"


def controls(
    folder: Folder, spec: StoreSpec, source: SourceSpec, files: Sequence[FileFacts]
) -> tuple[Control, ...]:
    """`files`, `bytes`, `sha256` of the files; `rows` and `body_bytes` of the records.

    `sha256` is that of what `sha256sum` prints for the files in their order. No
    `body_bytes` for elements of XML and JSON, which no plain command measures.
    """
    find = _find(folder, spec, source)
    count, sizes = f"{find} -printf . | wc -c", f"{find} -printf '%s\\n' | {_SIZES}"
    rows, body_bytes = count, sizes
    if not is_document(source.record):
        rows = f"{find} -print0 | {_recount(spec, source, 'rows')}"
        body_bytes = f"{find} -print0 | {_recount(spec, source, 'size')}"
    found = [
        Control("files", count, str(len(files))),
        Control("bytes", sizes, str(sum(facts.bytes for facts in files))),
        Control("sha256", f"{find} -print0 | {_DIGEST}", _listing_digest(files)),
        Control("rows", rows, str(sum(facts.records for facts in files))),
    ]
    if is_document(source.record) or source.record.format not in ("xml", "json"):
        total = sum(facts.record_bytes for facts in files)
        found.append(Control("body_bytes", body_bytes, str(total)))
    return tuple(found)


def _find(folder: Folder, spec: StoreSpec, source: SourceSpec) -> str:
    """The command that lists a flow's files."""
    tests = [f"-regex {_regex(source.from_)}"]
    tests += [f"! -regex {_regex(glob)}" for glob, _ in spec.out_of_scope if _is_glob(glob)]
    wanted = f"-type f -regextype posix-extended {' '.join(tests)}"
    return f"cd {shlex.quote(str(folder.root))} && find . {wanted}"


def _regex(glob: str) -> str:
    return shlex.quote(rf"\./{globs.expression(glob)}")


def _is_glob(key: str) -> bool:
    return "#" not in key.rpartition("/")[2]


def _recount(spec: StoreSpec, source: SourceSpec, total: str) -> str:
    """The command that counts the records of files named on standard input."""
    record = source.record
    left_out = [key.rpartition("#")[2] for key, _ in spec.out_of_scope if not _is_glob(key)]
    constants: dict[str, str] = {
        "CHARSET": _charset(source),
        "TOTAL": total,
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
    if record.each:
        constants["STEPS"] = json.dumps(_steps(source))
    script = re.sub(
        r"\b[A-Z]+(?:_OUT)?\b", lambda name: constants.get(name[0], name[0]), SCRIPTS[record.format]
    )
    return f"python3 -c {shlex.quote(script)}"


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


def _steps(source: SourceSpec) -> list[str]:
    each = source.record.each or ""
    if source.record.format == "json":
        return list(json_steps(each))
    return list(xml.steps(each))


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
