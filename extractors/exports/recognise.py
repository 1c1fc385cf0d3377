"""What the recognisers of export files share: first bytes, and a flow for every queue."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from extractors.exports.store import ALLOW_LOSSY, ExportStore
from extractors.files.walk import Folder
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec
from migrate.core.proposal import FlowDraft, Place, StoreDraft, plain_name

HEAD = 4096
_FEW = 100


def all_begin(place: Place, marked: Callable[[bytes], bool]) -> bool:
    """Whether the file, or every file of the folder (the first 100), begins as marked."""
    try:
        heads = list(_heads(place))
    except (LegacyUnreadable, OSError):
        return False
    return bool(heads) and all(marked(head) for head in heads)


def draft_queues(place: Place, kind: str, make: type[ExportStore]) -> list[StoreDraft]:
    """A store with one flow a queue."""
    spec = place.spec(kind)
    flows: list[FlowDraft] = []
    lossy = False
    for container in make(spec).inventory():
        name = plain_name(container.name, [flow.source.flow for flow in flows], otherwise="queue")
        lossy |= bool(container.detail.get("lossy"))
        flows.append(FlowDraft(SourceSpec(name, "", container.name)))
    notes: tuple[str, ...] = ()
    if lossy:
        spec = replace(spec, options=((ALLOW_LOSSY, "true"),))
        notes = (
            "DECIDE: some messages were exported without their exact bytes. allow_lossy takes them",
            f"as they are; {make.form.advice} if you can, and take the option out.",
        )
    return [StoreDraft(spec, tuple(flows), notes)]


def _heads(place: Place) -> Iterator[bytes]:
    for path in _paths(place):
        with path.open("rb") as file:
            yield file.read(HEAD)


def _paths(place: Place) -> list[Path]:
    if place.path is None:
        return []
    if place.path.is_file():
        return [place.path]
    files = Folder(place.spec("files")).files()[:_FEW]
    return [place.path / name for name in files]
