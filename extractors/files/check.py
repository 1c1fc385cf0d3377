"""What is wrong with a flow that reads files, each with its key in the plan and a remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import fields

from extractors.files import edi, globs, json, xml
from extractors.files.archive import Limits
from extractors.files.archive.archive import SEPARATOR
from extractors.files.archive.limits import problems as limit_problems
from extractors.files.charset import declared_charset, known, understood
from extractors.files.cutters import CUTTERS, is_document
from extractors.files.spool import ARCHIVES, CLOSED, OPEN, Spool
from extractors.files.survey import identical
from extractors.files.trailers import count_field, count_places
from migrate.core.flow import RecordSpec, SourceSpec

ALLOW_IDENTICAL = "allow_identical"

_LIMITS = [field.name for field in fields(Limits)]
_OPTIONS = [ALLOW_IDENTICAL, ARCHIVES, *_LIMITS]
_SQL_ONLY = ("where", "key", "order_by", "columns", "headers", "delivered", "endpoints")
_STEPS = {"xml": xml.steps, "json": json.steps, "edi": edi.steps}
_COUNTS = {"csv": count_field, "fixed": count_places}


def source_problems(source: SourceSpec) -> Iterator[str]:
    """What can be said without looking at a file."""
    try:
        globs.expression(source.from_)
    except ValueError as error:
        yield f"from: {error}"
    for key in _SQL_ONLY:
        if getattr(source, key):
            yield f"{key} means nothing to files: a record is its bytes; use payload fields"
    yield from _record(source.record)
    yield from _charset(source)


def option_problems(options: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the store's options."""
    yield from limit_problems(options)
    for name, value in options.items():
        known = {ALLOW_IDENTICAL: ("true", "false"), ARCHIVES: (OPEN, CLOSED)}.get(name)
        if known and value not in known:
            yield f"the store's option {name} is {' or '.join(known)}"
        elif not known and name not in _LIMITS:
            yield f"the store has no option {name}; known: {', '.join(_OPTIONS)}"


def folder_problems(folder: Spool, source: SourceSpec, *, allow_identical: bool) -> Iterator[str]:
    """What the folder shows. LegacyUnreadable for what cannot be read or is a link."""
    fixed = globs.fixed_folder(source.from_)
    paths = folder.of(source)
    if fixed and SEPARATOR not in f"{fixed}/" and not (folder.root / fixed).is_dir():
        yield f"from: there is no folder {fixed} below the root"
    if not paths and any(globs.matches(source.from_, path) for path in folder.archives()):
        yield (
            f"from: {source.from_} names archives themselves, which are folders here; "
            f'write {source.from_}!/**, or set the store\'s options = {{ {ARCHIVES} = "{CLOSED}" }}'
        )
    if allow_identical:
        return
    for same in identical(folder, paths):
        yield (
            f"from: {', '.join(same)} are identical: name the copies in out_of_scope, or set the "
            f'store\'s options = {{ {ALLOW_IDENTICAL} = "true" }} to take each as its own'
        )


def _record(record: RecordSpec) -> Iterator[str]:
    if record.format not in CUTTERS:
        yield f"record.format: there is no {record.format}; known: {', '.join(CUTTERS)}"
    if record.each is not None:
        try:
            _STEPS[record.format](record.each)
        except KeyError:
            yield f"record.each means nothing to format {record.format}"
        except ValueError as error:
            yield f"record.each: {error}"
    if record.record_type is not None and record.format not in ("csv", "fixed"):
        yield f"record.record_type means nothing to format {record.format}"
    if record.format == "csv":
        yield from _csv(record)
    if record.trailer is not None:
        try:
            _COUNTS[record.format](record.trailer.count)
        except KeyError:
            yield f"record.trailer means nothing to format {record.format}"
        except ValueError as error:
            yield f"record.trailer.count: {error}"


def _csv(record: RecordSpec) -> Iterator[str]:
    for key, mark in (("delimiter", record.delimiter), ("quote", record.quote or '"')):
        if len(mark) != 1 or not mark.isascii() or mark in "\r\n\0":
            yield f"record.{key} is one ASCII character"
    if record.delimiter == record.quote:
        yield "record.quote is the delimiter too"
    if record.header and record.columns:
        yield "record.columns: the first record names the columns; header = false if it does not"


def _charset(source: SourceSpec) -> Iterator[str]:
    charset = declared_charset(source)
    if not known(charset):
        yield f"charset: there is no {charset}"
    elif not (is_document(source.record) or source.record.format == "xml" or understood(charset)):
        yield (
            f"charset: records cannot be cut from {charset}, whose line ends and punctuation are "
            'not those of ASCII; read the files whole (format = "file")'
        )
