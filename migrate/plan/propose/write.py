"""Putting a proposal on disk: all of its files or none, and never over one that is there."""

from collections.abc import Mapping
from pathlib import Path

from migrate.core.errors import UsageError
from migrate.core.proposal import Place
from migrate.plan.propose.outputs import files
from migrate.plan.propose.proposal import Proposal
from migrate.plan.propose.render import Setting, render


def refuse_taken(out: Path, place: Place) -> None:
    """Raises UsageError where the plan is there already, or would stand inside the store."""
    if out.exists() or out.is_symlink():
        raise UsageError(f"{out} is there already", hint="name another file with --out")
    if place.path is not None and place.path.is_dir() and _inside(out, place.path):
        raise UsageError(
            f"{out} would stand inside the store it is the plan of",
            hint="name a file elsewhere with --out",
        )


def write_proposal(proposal: Proposal, setting: Setting, out: Path) -> list[Path]:
    """Writes the plan at `out`, mappings and schemas beside it; the paths, the plan first.

    Raises UsageError where any of them is there already: then nothing is written.
    """
    beside: dict[str, str] = {}
    for flow in proposal.flows:
        beside |= files(flow)
    wanted = {out: render(proposal, setting)}
    wanted |= {out.parent / name: text for name, text in beside.items()}
    return _write_all(wanted)


def _write_all(wanted: Mapping[Path, str]) -> list[Path]:
    for path in wanted:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already", hint="name another folder with --out")
    written: list[Path] = []
    try:
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise UsageError(
            f"{error.filename} cannot be written ({error.strerror})",
            hint="name a folder you may write to with --out",
        ) from None
    return written


def _inside(out: Path, folder: Path) -> bool:
    return out.absolute().resolve().is_relative_to(folder.resolve())
