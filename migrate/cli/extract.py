"""`isb-migrate extract`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migrate.cli.options import json_option, option, progress_option
from migrate.cli.output import data, data_json, say
from migrate.cli.progress import shown
from migrate.core.errors import UsageError
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec

if TYPE_CHECKING:
    from migrate.run.extraction import Compared, Extract, Extraction

LIMITS = ("sessions", "rows_per_s", "statement_timeout_s", "batch_rows", "batch_bytes")
DIFFERS, COULD_NOT_VERIFY = 1, 6
_KEYS = ("first_key", "last_key", "sha256")  # shown as agreeing or not, never themselves


@click.command("extract")
@click.argument("kind")
@click.argument("url")
@option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@option("--from", "from_", help="Only this table, queue, or glob of files.  [default: everything]")
@option("--key", multiple=True, help="Column of the native key; may be given several times.")
@option(
    "--column",
    multiple=True,
    help="What a store column means, such as body=payload; may be given several times.",
)
@option("--where", help="Only records for which this SQL condition holds.")
@option(
    "--record",
    type=click.Choice(["file", "xml", "json", "jsonl", "csv", "fixed", "text"]),
    default="file",
    help="Files: how they are cut into records.",
)
@option("--each", help="Files: path of the repeated element or array.")
@option("--schema", help="Databases: the schema.")
@option(
    "--option",
    "options",
    multiple=True,
    help="A setting of the kind of store, such as allow_lossy=true; may be given several times.",
)
@option(
    "--limit",
    "limits",
    multiple=True,
    help=f"A limit as in a plan, such as batch_rows=5000 ({', '.join(LIMITS)}); may be given "
    "several times.",
)
@json_option
@progress_option
def command(out: Path, as_json: bool, progress: str, **given: Any) -> int:
    """Write one legacy store of KIND at URL to Parquet, as legacy segments; no plan needed.

    The same command resumes an interrupted extraction, and verifies a complete one. Ends with 0
    when what was read agrees with what the store counts, 1 when the store has changed since,
    5 when the folder belongs to another extraction, 6 when figures do not agree, 130 interrupted.

    \b
    Examples:
      isb-migrate extract sql sqlite:///isb.db --from isb_message --key msg_id \\
          --column body=payload --out parquet
      isb-migrate extract files spool --from '*.csv' --record csv --out parquet
      isb-migrate extract artemis-export export.xml --from '*' --limit batch_rows=5000 --out parquet
    """
    from migrate.run.extraction import extract_store
    from migrate.run.manifest import Asked
    from migrate.run.stop import Stop

    asked = Asked(_spec(given), _source(given), given["from_"])
    with shown(progress) as bars:
        done = extract_store(asked, out, progress=bars, stop=Stop())
    if as_json:
        data_json([_row(one) for one in done.extracts])
    else:
        _print(done, out)
    return _conclusion(done, out)


def _spec(given: dict[str, Any]) -> StoreSpec:
    limits = {name: _whole(name, text) for name, text in _pairs("--limit", given["limits"])}
    options = _pairs("--option", given["options"])
    spec = StoreSpec("store", given["kind"], given["url"], given["schema"], options=options)
    return replace(spec, **limits)  # type: ignore[arg-type]


def _source(given: dict[str, Any]) -> SourceSpec:
    return SourceSpec(
        flow="",
        store="store",
        from_="",
        where=given["where"],
        key=given["key"],
        columns=_pairs("--column", given["column"]),
        record=RecordSpec(format=given["record"], each=given["each"]),
    )


def _pairs(flag: str, texts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            # Not the text itself: a setting may be a secret.
            raise UsageError(f'a {flag} lacks its "="', hint=f"such as {flag} name=value")
        pairs.append((name, value))
    return tuple(pairs)


def _whole(name: str, text: str) -> int:
    if name not in LIMITS:
        raise UsageError(f'there is no limit "{name}"', hint=f"there are {', '.join(LIMITS)}")
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise UsageError(f"--limit {name} is a whole number above 0", hint=f"--limit {name}=1000")
    return int(text)


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


def _print(done: "Extraction", out: Path) -> None:
    for one in done.extracts:
        data(f"{one.folder}: {one.rows:,} records in {one.segments:,} segments")
        counted = [total for total in one.totals if total.read is not None]
        alike = [_shown(total) for total in counted if total.agrees]
        if alike:
            data(f"  as the store counted: {', '.join(alike)}")
        for total in counted:
            if not total.agrees:
                data(f"  {_differing(total)}")
        for total in one.totals:
            if total.changed:
                data(f"  the store counts differently now: {_changed(total)}")
    if done.before:
        data(f"{out}: complete already; every segment has the digest it was written with")


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


def _conclusion(done: "Extraction", out: Path) -> int:
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
