"""What a folder of files holds: which files belong together, and how they are cut into records."""

from collections.abc import Iterator
from functools import partial

from extractors.files.recognise.draft import draft_folder
from migrate.core.proposal import Place, Recognised


def recognise(place: Place) -> Iterator[Recognised]:
    """`files`, for any folder."""
    if place.path is not None and place.path.is_dir():
        yield Recognised("files", "folder of files", False, partial(draft_folder, place))
