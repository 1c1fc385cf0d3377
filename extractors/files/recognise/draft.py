"""Every file of a folder: in a flow with those of its form, or out of scope."""

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from extractors.files.check import ALLOW_IDENTICAL
from extractors.files.csv import first_field
from extractors.files.cutters import cut, prepare
from extractors.files.globs import matches
from extractors.files.recognise.sniff import (
    CODE,
    HEAD,
    MOST_TYPES,
    WHOLE,
    Form,
    form_of,
    numbered,
)
from extractors.files.store import FilesStore
from extractors.files.survey import identical
from extractors.files.walk import Folder
from migrate.core.flow import SourceSpec
from migrate.core.proposal import (
    TO_BE_COMPLETED,
    FlowDraft,
    Place,
    StoreDraft,
    plain_name,
)

_NO_MESSAGES = re.compile(
    r"\..*|thumbs\.db|desktop\.ini|readme.*|.*\.(log|tmp|bak|lock|pid|md5|sha1|sha256|ctl|done|ok)",
    re.IGNORECASE,
)
_FRAME_TYPES = {"10": "header", "29": "metadata", "99": "trailer"}
"""Record types of the gazetteer's exchange format that are about the file, not addresses."""

_LOOKED_AT = 20
_MOST_FLOWS = 20


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that one glob names, and nothing else, and their form."""

    glob: str
    paths: tuple[str, ...]
    form: Form
    others: int  # of those looked at that are of another form


def draft_folder(place: Place) -> list[StoreDraft]:
    """One store of kind files."""
    assert place.path is not None
    spec = place.spec("files")
    out_of_scope = dict(_links(str(place.path), ""))
    folder = FilesStore(replace(spec, out_of_scope=tuple(out_of_scope.items()))).folder
    paths = [path for path in folder.files() if folder.reason(path) is None]
    plain = [path for path in paths if not _NO_MESSAGES.fullmatch(PurePosixPath(path).name)]
    if plain:
        for path in sorted({*paths} - {*plain}):
            why = "looks like what the spool needs to run, not like messages"
            out_of_scope[escaped(path)] = f"{TO_BE_COMPLETED}: {why}"
    groups = list(_groups(folder, plain or paths))
    flows: list[FlowDraft] = []
    for group in groups:
        names = [one.source.flow for one in flows]
        for flow, left_out in _flows(folder, group, names, place.path.name):
            flows += [flow] if flow else []
            out_of_scope |= left_out
    notes: tuple[str, ...] = ()
    if any(next(identical(folder, list(group.paths)), None) for group in groups):
        spec = replace(spec, options=((ALLOW_IDENTICAL, "true"),))
        notes = (
            "DECIDE: some files are identical. allow_identical takes each as messages of its own;",
            "where they are copies, name them in out_of_scope instead.",
        )
    spec = replace(spec, out_of_scope=tuple(out_of_scope.items()))
    return [StoreDraft(spec, tuple(flows), notes)]


def escaped(path: str) -> str:
    """The glob that names this path alone."""
    return re.sub(r"([*?[])", r"[\1]", path)


def _links(folder: str, above: str) -> Iterator[tuple[str, str]]:
    """What is no file and no folder: never followed, never read."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return  # the store itself says what cannot be read
    for entry in entries:
        path = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _links(entry.path, f"{path}/")
        elif not entry.is_file(follow_symlinks=False):
            yield escaped(path), f"{TO_BE_COMPLETED}: a link, or no regular file"


def _groups(folder: Folder, paths: Sequence[str]) -> Iterator[_Group]:
    """Files by folder and suffix; over several folders where all of a suffix are of one form."""
    buckets = _buckets(paths)
    forms = {key: _form(folder, each) for key, each in buckets.items()}
    for suffix in sorted({suffix for _, suffix in buckets}):
        keys = [key for key in buckets if key[1] == suffix]
        together = [path for path in paths if any(path in buckets[key] for key in keys)]
        glob = f"{_above(keys)}**/*{escaped(suffix)}"
        one_form = len({forms[key][0] for key in keys}) == 1
        exact = [path for path in paths if matches(glob, path)] == together
        if len(keys) > 1 and exact and (one_form or len(keys) > _MOST_FLOWS):
            commonest = Counter(forms[key][0] for key in keys).most_common(1)[0][0]
            yield _Group(glob, tuple(together), commonest, sum(forms[key][1] for key in keys))
        else:
            for key in keys:
                glob = f"{_below(key[0])}*{escaped(suffix)}"
                yield _Group(glob, tuple(buckets[key]), *forms[key])


def _buckets(paths: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    """Files by folder and suffix; a folder with files that have none is one bucket."""
    bare = {str(PurePosixPath(path).parent) for path in paths if not PurePosixPath(path).suffix}
    found: dict[tuple[str, str], list[str]] = {}
    for path in paths:
        pure = PurePosixPath(path)
        parent = str(pure.parent)
        found.setdefault((parent, "" if parent in bare else pure.suffix), []).append(path)
    return found


def _above(keys: Sequence[tuple[str, str]]) -> str:
    common = os.path.commonpath([parent for parent, _ in keys])
    return _below(common)


def _below(parent: str) -> str:
    return "" if parent in ("", ".") else f"{escaped(parent)}/"


def _form(folder: Folder, paths: Sequence[str]) -> tuple[Form, int]:
    """The commonest form of some files, and how many of those looked at have another."""
    step = max(1, len(paths) // _LOOKED_AT)
    found = [_look(folder, path) for path in paths[::step][:_LOOKED_AT]]
    batches = {form.root: form for form in found if form.record.each and form.root}
    found = [batches.get(form.root, form) if form.root else form for form in found]
    form, often = Counter(found).most_common(1)[0]
    return form, len(found) - often


def _look(folder: Folder, path: str) -> Form:
    with folder.open(path) as file:
        return form_of(path, file.slice(0, min(HEAD, file.size)), whole=file.size <= HEAD)


def _flows(
    folder: Folder, group: _Group, taken: Sequence[str], root: str
) -> Iterator[tuple[FlowDraft | None, dict[str, str]]]:
    """A flow for a group, or one for each type of its records."""
    stem = (
        re.sub(r"[*?\[\]]+", "", str(PurePosixPath(group.glob).with_suffix(""))).strip("/.") or root
    )
    notes = [f"{group.form.what}."]
    if group.others:
        notes.append(f"DECIDE: files of another form among those looked at: {group.others}.")
    if plain_name(stem) in taken:
        stem += PurePosixPath(group.glob).suffix
    source = SourceSpec(plain_name(stem, taken), "", group.glob, record=group.form.record)
    widths = _types(folder, group) if group.form.types else {}
    if group.form.types and not widths:
        whole = replace(source, record=WHOLE.record)
        yield FlowDraft(whole, (*notes, "Its record types are no codes: taken whole.")), {}
    elif not widths:
        yield FlowDraft(source, tuple(notes)), {}
    names = list(taken)
    for kind, width in sorted(widths.items()):
        if kind in _FRAME_TYPES:
            why = f"{_FRAME_TYPES[kind]} records: about the file, not messages"
            yield None, {f"{group.glob}#{kind}": f"{TO_BE_COMPLETED}: {why}"}
            continue
        names.append(plain_name(f"{stem}_{kind}", names))
        record = replace(group.form.record, record_type=kind, columns=numbered(width))
        typed = replace(source, flow=names[-1], record=record)
        yield FlowDraft(typed, (*notes, f"Records of type {kind}.")), {}


def _types(folder: Folder, group: _Group) -> dict[str, int]:
    """All record types of a group's files, each with its width; {} where one is no code."""
    record = group.form.record
    widths: dict[str, int] = {}
    for path in group.paths:
        with folder.open(path) as file:
            view, charset = prepare(file, record, record.charset)
            for span in cut(view, record, charset):
                text = view.slice(span.start, span.end).decode(charset, "replace")
                kind = first_field(text, record)
                if not CODE.fullmatch(kind) or len(widths) > MOST_TYPES:
                    return {}
                if kind not in widths:
                    widths[kind] = len(next(csv.reader([text], delimiter=record.delimiter), [""]))
    return widths
