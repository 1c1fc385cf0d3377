"""Control totals of export files, each with a command that anybody can run.

The commands use find, sort, sha256sum, grep and Python's standard library, nothing of this tool.
"""

import hashlib
import shlex
from collections.abc import Sequence

from extractors.exports.folder import Exports
from extractors.exports.survey import ExportFacts
from extractors.files import globs
from migrate.core.ports import Control

_SIZES = "awk '{ bytes += $1 } END { printf \"%d\\n\", bytes }'"


def list_files(exports: Exports) -> str:
    """The command that prints the names of the files, in order, NUL behind each."""
    change = f"cd {shlex.quote(str(exports.root))}"
    if exports.single is not None:
        return f"{change} && printf '%s\\0' {shlex.quote(f'./{exports.single}')}"
    tests = "".join(f" ! -regex {_regex(glob)}" for glob in exports.globs)
    found = f"find . -type f -regextype posix-extended{tests} -print0"
    return f"{change} && {found} | LC_ALL=C sort -z"


def file_controls(listing: str, files: Sequence[ExportFacts]) -> tuple[Control, ...]:
    """`files`, `bytes`, and `sha256`: that of what `sha256sum` prints for the files in order."""
    counted = f"{listing} | tr -cd '\\0' | wc -c"
    sizes = f"{listing} | xargs -0 -r stat -c %s -- | {_SIZES}"
    digests = f"{listing} | xargs -0 -r sha256sum | sha256sum | cut -d ' ' -f 1"
    return (
        Control("files", counted, str(len(files))),
        Control("bytes", sizes, str(sum(facts.bytes for facts in files))),
        Control("sha256", digests, _listing_digest(files)),
    )


def python_total(listing: str, script: str) -> str:
    """The command that runs a script over the files named on standard input."""
    return f"{listing} | python3 -c {shlex.quote(script)}"


def grep_total(listing: str, pattern: str) -> str:
    """The command that counts the lines of the files that match an extended expression."""
    return f"{listing} | xargs -0 -r cat -- | LC_ALL=C grep -a -c -E {shlex.quote(pattern)} || true"


def _regex(glob: str) -> str:
    return shlex.quote(rf"\./{globs.expression(glob)}")


def _listing_digest(files: Sequence[ExportFacts]) -> str:
    """SHA-256 of the lines of sha256sum, which escapes backslashes and line ends in names."""
    lines = hashlib.sha256()
    for facts in files:
        name = facts.path.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
        mark = "\\" if name != facts.path else ""
        lines.update(f"{mark}{facts.sha256}  ./{name}\n".encode())
    return lines.hexdigest()
