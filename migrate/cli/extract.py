"""`isb-migrate extract`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from migrate.cli.extracted import conclusion, lines, rows
from migrate.cli.options import PREFIX, json_option, option, progress_option
from migrate.cli.output import data, data_json
from migrate.cli.progress import shown
from migrate.core.errors import UsageError
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec

LIMITS = ("sessions", "rows_per_s", "statement_timeout_s", "batch_rows", "batch_bytes")
_OF_A_FILE = ("each", "header", "delimiter", "quote", "charset", "record_type")


@click.command("extract")
@click.argument("kind")
@click.argument("url", envvar=f"{PREFIX}URL")
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
    type=click.Choice(["file", "xml", "json", "jsonl", "csv", "fixed", "text", "edi"]),
    default="file",
    help="Files: how they are cut into records.",
)
@option(
    "--header/--no-header", default=True, help="CSV: whether the first record names the columns."
)
@option("--delimiter", default=",", help="CSV: what separates the fields.")
@option("--quote", default='"', help="CSV: what encloses a field.")
@option("--charset", default="utf-8", help="Files: their character set, or detect.")
@option("--record-type", help="CSV, fixed: only records whose first field is this one.")
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
@option("--each", help="Files: path of the repeated element or array; `message` for edi.")
@json_option
@progress_option
def command(out: Path, as_json: bool, progress: str, **given: Any) -> int:
    """Write one legacy store of KIND at URL to Parquet, as legacy segments; no plan needed.

    The same command resumes an interrupted extraction, and verifies a complete one. Ends with 0
    when what was read agrees with what the store counts, 1 when the store has changed since,
    5 when the folder belongs to another extraction, 6 when figures do not agree, 130 interrupted.
    A URL with a password is better given as ISB_MIGRATE_URL: command lines can be seen by others.

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
        data_json(rows(done))
    else:
        for line in lines(done, out):
            data(line)
    return conclusion(done, out)


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
        record=RecordSpec(format=given["record"], **{name: given[name] for name in _OF_A_FILE}),
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
