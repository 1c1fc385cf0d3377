"""`isb-migrate sample`."""

from pathlib import Path

import click

from migrate.cli.options import option, path_argument
from migrate.cli.output import data, say
from migrate.core.errors import UsageError


@click.command("sample")
@path_argument("folder", file_okay=False)
@option("--messages", type=click.IntRange(200), default=20_000, help="How many legacy messages.")
@option("--seed", type=int, default=1, help="Same seed, same estate.")
def command(folder: Path, messages: int, seed: int) -> None:
    """Write a believable legacy estate into FOLDER, with its plan.

    FOLDER gets isb.db, spool/, plan.toml with mappings, and manifest.jsonl: the
    truth about every message, which no other command ever reads.

    \b
    Example:
      isb-migrate sample estate --messages 20000 --seed 7
    """
    from migrate.sample.estate import write_sample

    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", hint="name a new folder")
    write_sample(folder, messages, seed)
    say(f"wrote a legacy estate of {messages:,} messages to {folder}")
    data(str(folder / "plan.toml"))
