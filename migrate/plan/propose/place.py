"""What `init` and `inventory` are pointed at, and which kinds of store it can be read as."""

import importlib
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from extractors import STORES
from migrate.core.errors import MissingExtra, UsageError
from migrate.core.proposal import Place, Recognise, Recognised
from migrate.core.redact_url import mask_url
from migrate.plan.expand import Expander, Unresolved, settle
from migrate.plan.stores import EXTRAS

_SQLITE = b"SQLite format 3\x00"


def place_of(
    text: str,
    environ: Mapping[str, str],
    *,
    kind: str | None = None,
    schema: str | None = None,
    sample: int = 500,
) -> Place:
    """A URL, or a file or folder that is there; `${NAME}` is taken from the environment.

    Raises UsageError for what is neither; a URL of a named `kind` is left to its reader.
    """
    here = Path.cwd()
    try:
        url = Expander(here, environ).expand(text)
    except Unresolved as error:
        raise UsageError(error.message, hint=error.hint) from None
    path = Path(url.removeprefix("file://"))
    if _is_there(path):
        path = path.absolute()
        if path.is_file() and _begins(path, _SQLITE):
            return Place(f"sqlite:///{path}", None, schema, sample)
        return Place(str(path), path, schema, sample)
    if kind not in (None, "sql"):
        return Place(settle(kind, url, here), None, schema, sample)
    if "://" not in url:
        raise UsageError(
            f"there is no file or folder {mask_url(url)}",
            hint="name a file, a folder, or a database URL such as postgresql://account@host/name",
        )
    try:
        settled = settle("sql", url, here)
        sa.make_url(settled)
    except (Unresolved, sa.exc.ArgumentError, ValueError) as error:
        why = error.message if isinstance(error, Unresolved) else "cannot be read"
        hint = getattr(error, "hint", None) or "dialect+driver://account@host:port/database"
        raise UsageError(f"the URL {why}", hint=hint) from None
    return Place(settled, None, schema, sample)


def name_of(place: Place) -> str:
    """What a place is called: its folder, its file without the suffix, its database."""
    if place.path is not None:
        return place.path.name if place.path.is_dir() else place.path.stem
    try:
        return Path(sa.make_url(place.url).database or "isb").stem
    except sa.exc.ArgumentError:
        return "isb"


def recognised(place: Place, kind: str | None = None) -> list[Recognised]:
    """What a place can be read as, the surest first; only of one `kind`, if one is named.

    Raises UsageError for an unknown kind, LegacyUnreadable where it cannot be looked at.
    """
    if kind is not None and kind not in STORES:
        raise UsageError(f'no kind of store named "{kind}"', hint=f"known: {', '.join(STORES)}")
    found = [one for recognise in _recognisers(kind) for one in recognise(place)]
    return sorted((one for one in found if kind in (None, one.kind)), key=lambda one: not one.sure)


def candidates(place: Place, kind: str | None = None) -> list[Recognised]:
    """As `recognised`, but at least one; UsageError for none."""
    found = recognised(place, kind)
    if not found:
        what = f"as a store of kind {kind}" if kind else "by any kind of store"
        raise UsageError(
            f"{mask_url(place.url)} is not recognised {what}",
            hint="see docs/reference/stores.md for the kinds, and write the plan by hand",
        )
    return found


def _recognisers(kind: str | None) -> Iterator[Recognise]:
    """`recognise` of every folder of readers that has it, or of one kind's; the registry names
    the folders."""
    targets = STORES.values() if kind is None else [STORES[kind]]
    folders = dict.fromkeys(target.partition(":")[0].split(".")[1] for target in targets)
    for folder in folders:
        name = f"extractors.{folder}.recognise"
        if _has(f"extractors.{folder}", name):
            yield cast("Recognise", _imported(name).recognise)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        if root in EXTRAS:
            raise MissingExtra(name, EXTRAS[root]) from None
        raise


def _has(package: str, name: str) -> bool:
    spec = importlib.util.find_spec(package)
    folder = spec is not None and spec.submodule_search_locations is not None
    return folder and importlib.util.find_spec(name) is not None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _begins(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic
