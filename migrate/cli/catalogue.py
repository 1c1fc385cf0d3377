"""`isb-migrate catalogue`."""

from pathlib import Path

import click

from migrate.cli.options import option, path_argument
from migrate.cli.output import data, say
from migrate.core.errors import UsageError

DOCUMENT = "asyncapi.json"
PAGE = "catalogue.html"


@click.command("catalogue")
@path_argument("plan")
@option(
    "--out",
    type=click.Path(path_type=Path),
    help=f"A file whose name ends in .json or .html, or a folder for both ({DOCUMENT}, {PAGE}).",
)
def command(plan: Path, out: Path | None) -> None:
    """Say what PLAN brings to the new bus, for those who will receive it.

    An AsyncAPI 3.0 document: the bus, a channel for every lane of every off-ramp that a route
    leads to, the messages with their headers, schemas and examples; and a page of it for people.
    It comes from the plan alone: no store is asked, no variable of the environment has to be
    set, and no URL is shown. The same plan gives the same bytes. Without --out the document is
    printed.

    \b
    Examples:
      isb-migrate catalogue estate/plan.toml > asyncapi.json
      isb-migrate catalogue estate/plan.toml --out catalogue
      isb-migrate catalogue estate/plan.toml --out catalogue.html
    """
    from migrate.core.durable import private_folder, write_bytes
    from migrate.plan.catalogue import document, document_bytes
    from migrate.plan.load import load_plan
    from reports.catalogue import render

    wanted = _files(out)
    found = document(load_plan(plan, connections=False))
    makers = {".json": document_bytes, ".html": render}
    if not wanted:
        data(document_bytes(found).decode().removesuffix("\n"))
    for path in wanted:
        private_folder(path.parent)
        write_bytes(path, makers[path.suffix](found))
        say(f"wrote {path}")


def _files(out: Path | None) -> list[Path]:
    if out is None:
        return []
    if out.suffix in (".json", ".html") and not out.is_dir():
        return [out]
    if out.exists() and not out.is_dir():
        raise UsageError(
            f"{out} is a file that is neither .json nor .html", hint="name a folder with --out"
        )
    return [out / DOCUMENT, out / PAGE]
