"""`isb-migrate extract`."""

from pathlib import Path

import click

from migrate.cli.options import json_option, option, progress_option
from migrate.cli.output import data, data_json
from migrate.cli.progress import shown
from migrate.core.errors import PlanError, UsageError
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from migrate.core.progress import Progress


@click.command("extract")
@click.argument("kind")
@click.argument("url")
@option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder.")
@option("--from", "from_", help="Only this table, or this glob of files.  [default: everything]")
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
@option("--each", help="Files: path of the repeated element or array; `message` for edi.")
@json_option
@progress_option
def command(
    kind: str,
    url: str,
    out: Path,
    from_: str | None,
    key: tuple[str, ...],
    column: tuple[str, ...],
    where: str | None,
    record: str,
    each: str | None,
    as_json: bool,
    progress: str,
) -> None:
    """Write one legacy store of KIND at URL to Parquet, as legacy segments; no plan needed.

    \b
    Examples:
      isb-migrate extract sql sqlite:///isb.db --from isb_message --key msg_id \\
          --column body=payload --out parquet
      isb-migrate extract files spool --from '*.csv' --record csv --out parquet
    """
    from migrate.plan.stores import open_store

    store = open_store(StoreSpec("store", kind, url))
    template = SourceSpec(
        flow="",
        store="store",
        from_="",
        where=where,
        key=key,
        columns=tuple(_pair(text) for text in column),
        record=RecordSpec(format=record, each=each),  # type: ignore[arg-type]
    )
    try:
        names = [from_] if from_ else _containers(store, kind)
        sources = [_named(template, name) for name in names]
        _check(store, sources)
        with shown(progress) as bars:
            written = [_extract(store, source, out, bars) for source in sources]
    finally:
        store.close()
    if as_json:
        data_json([{"path": str(path), "records": records} for path, records in written])
    else:
        for path, records in written:
            data(f"{path}: {records:,} records")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f'--column "{text}" lacks a "="', hint="such as --column body=payload")
    return name, value


def _containers(store: object, kind: str) -> list[str]:
    """Everything: every table, or all files as one."""
    if kind == "files":
        return ["**/*"]
    return [container.name for container in store.inventory()]  # type: ignore[attr-defined]


def _named(template: SourceSpec, name: str) -> SourceSpec:
    from dataclasses import replace

    flow = "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in name)
    return replace(template, flow=flow.strip("._") or "all", from_=name)


def _check(store: object, sources: list[SourceSpec]) -> None:
    problems = [text for source in sources for text in store.check(source)]  # type: ignore[attr-defined]
    if problems:
        raise PlanError("; ".join(problems), hint="see --from, --key and --column")


def _extract(store: object, source: SourceSpec, out: Path, bars: Progress) -> tuple[Path, int]:
    """One source to out/<name>/NNNNNN.parquet; the folder and how many records."""
    from migrate.core.durable import private_folder, write_segment

    folder = private_folder(out / source.flow)
    population = store.population(source)  # type: ignore[attr-defined]
    bars.start(f"extract {source.from_}", population.rows)
    position = 0
    for number, chunk in enumerate(store.read(source, population), 1):  # type: ignore[attr-defined]
        write_segment(folder / f"{number:06d}.parquet", chunk.table)
        position += chunk.table.num_rows
        bars.advance(f"extract {source.from_}", chunk.table.num_rows)
    bars.finish(f"extract {source.from_}")
    return folder, position
