"""What is said of an extraction that has ended: figures on standard output, doubts beside."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.cli.output import say

if TYPE_CHECKING:
    from migrate.run.extraction import Compared, Extract, Extraction

DIFFERS, COULD_NOT_VERIFY = 1, 6
_KEYS = ("first_key", "last_key", "sha256")  # shown as agreeing or not, never themselves


def rows(done: "Extraction") -> list[dict[str, Any]]:
    """A JSON object a container."""
    return [_row(one) for one in done.extracts]


def _row(one: "Extract") -> dict[str, Any]:
    totals = [
        {"name": total.name, "agrees": total.agrees, "changed": total.changed}
        | ({} if total.name in _KEYS else {"store": total.sealed, "read": total.read})
        for total in one.totals
    ]
    return {
        "from": one.source.from_,
        "path": str(one.folder),
        "records": one.rows,
        "segments": one.segments,
        "agrees": one.agrees,
        "changed": one.changed,
        "totals": totals,
    }


def lines(done: "Extraction", out: Path) -> Iterator[str]:
    """What was written, and which figures agree."""
    for one in done.extracts:
        plural = "segment" if one.segments == 1 else "segments"
        yield f"{one.folder}: {one.rows:,} records in {one.segments:,} {plural}"
        counted = [total for total in one.totals if total.read is not None]
        alike = [_shown(total) for total in counted if total.agrees]
        if alike:
            yield f"  as the store counted: {', '.join(alike)}"
        for total in counted:
            if not total.agrees:
                yield f"  {_differing(total)}"
        for total in one.totals:
            if total.changed:
                yield f"  the store counts differently now: {_changed(total)}"
    if done.before:
        yield f"{out}: complete already; every segment has the digest it was written with"


def _shown(total: "Compared") -> str:
    return total.name if total.name in _KEYS else f"{total.name} {int(total.sealed):,}"


def _differing(total: "Compared") -> str:
    if total.name in _KEYS:
        return f"{total.name}: not the one the store named"
    return f"{total.name}: the store counted {int(total.sealed):,}, {int(total.read or 0):,} read"


def _changed(total: "Compared") -> str:
    if total.name in _KEYS or not (total.now or "").isdecimal():
        return total.name
    return f"{total.name} {int(total.sealed):,} when sealed, {int(total.now or 0):,} now"


def conclusion(done: "Extraction", out: Path) -> int:
    """The exit code, and in words what is not as it should be."""
    differing = [one.source.from_ for one in done.extracts if not one.agrees]
    changed = [one.source.from_ for one in done.extracts if one.changed]
    if differing:
        say(f"{out}: not what the store counted when it was sealed: {', '.join(differing)}")
        say("  what to do: stop what writes to the store, then extract it into another folder")
        return COULD_NOT_VERIFY
    if changed:
        say(f"{out}: the store has changed since it was sealed: {', '.join(changed)}")
        say("  what to do: for what it holds now, extract it into another folder")
        return DIFFERS
    if done.before and not done.asked_again:
        say(f"{out}: the store could not be asked whether it has changed since")
    return 0
