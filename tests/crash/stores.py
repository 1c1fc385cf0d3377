"""Stores to be extracted: those of the contract suite, and files in every record format."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import sqlalchemy as sa

from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from tests import services
from tests.contract.stores import Estate, Fresh, cases

Write = Callable[[Sequence[str]], str]

FORMATS: dict[str, tuple[RecordSpec, Write]] = {
    "xml": (
        RecordSpec("xml", each="/all/one"),
        lambda texts: "<all>{}</all>".format("".join(f"<one>{escape(t)}</one>" for t in texts)),
    ),
    "json": (RecordSpec("json", each="/all/*"), lambda texts: json.dumps({"all": list(texts)})),
    "jsonl": (RecordSpec("jsonl"), lambda texts: "".join(f"{json.dumps(t)}\n" for t in texts)),
    "csv": (RecordSpec("csv"), lambda texts: "a,b\n" + "".join(f"1,{t}\n" for t in texts)),
    "fixed": (RecordSpec("fixed"), lambda texts: "".join(f"{t:<40}\n" for t in texts)),
    "text": (RecordSpec("text"), lambda texts: "".join(f"{t}\n" for t in texts)),
}


def written(record: RecordSpec, write: Write) -> Fresh:
    """Files of seven records each, some of them equal."""

    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        root = folder / "spool"
        root.mkdir()
        texts = [body.decode("ascii") for body in bodies]
        for start in range(0, len(texts), 7):
            (root / f"{start:03d}.dat").write_text(write(texts[start : start + 7]))
        source = SourceSpec("flow", "store", "*.dat", record=record)
        yield Estate(StoreSpec("store", "files", str(root)), source)

    return fresh


def without_a_key(server: Callable[[], sa.URL] | None) -> Fresh:
    """A table whose rows nothing tells apart but what they hold; in SQLite without a server."""

    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        local = nullcontext(f"sqlite:///{folder}/store.db")
        with services.database(server()) if server else local as url:
            engine = sa.create_engine(url, poolclass=sa.NullPool)
            table = sa.Table("loose", sa.MetaData(), sa.Column("payload", sa.LargeBinary))
            table.metadata.create_all(engine)
            with engine.begin() as connection:
                connection.execute(table.insert(), [{"payload": body} for body in bodies])
            source = SourceSpec("flow", "store", "loose", columns=(("body", "payload"),))
            yield Estate(StoreSpec("store", "sql", url), source)

    return fresh


def every_store() -> list[object]:
    """A pytest parameter each."""
    return [
        *cases(),
        pytest.param(without_a_key(None), id="sql-sqlite-keyless"),
        pytest.param(
            without_a_key(services.postgresql),
            id="sql-postgresql-keyless",
            marks=[pytest.mark.service],
        ),
        *(pytest.param(written(*form), id=f"files-{name}") for name, form in FORMATS.items()),
    ]


def words_of(estate: Estate, out: Path, rows: int) -> list[str]:
    """How `isb-migrate extract` is asked for it."""
    spec, source = estate.spec, estate.source
    words = [spec.kind, spec.url, "--from", source.from_, "--out", str(out)]
    words += ["--limit", f"batch_rows={rows}", "--progress", "none"]
    words += ["--record", source.record.format]
    for option in spec.options:
        words += ["--option", "=".join(option)]
    words += ["--each", source.record.each] if source.record.each else []
    for name in source.key:
        words += ["--key", name]
    for segment, store in source.columns:
        words += ["--column", f"{segment}={store}"]
    return words


def write_plan(estate: Estate, path: Path, rows: int) -> None:
    """A plan that archives everything."""
    spec, source = estate.spec, estate.source
    columns = ", ".join(f"{name} = {json.dumps(column)}" for name, column in source.columns)
    each = f", each = {json.dumps(source.record.each)}" if source.record.each else ""
    given = {name: _unsaid(path, name, value) for name, value in spec.options}
    options = ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
    lines = [
        '[plan]\nname = "crash"\nnamespace = "met.test"',
        'environment = "test"\nmarking = "OFFICIAL"',
        f'[store.store]\nkind = "{spec.kind}"\nurl = {json.dumps(_unsaid(path, "url", spec.url))}',
        "" if spec.adbc else "adbc = false",
        f"allow_writes = true\nlimits = {{ batch_rows = {rows} }}",
        f"options = {{ {options} }}",
        f'[flow.flow]\nstore = "store"\nfrom = {json.dumps(source.from_)}',
        f"key = {json.dumps(source.key)}" if source.key else "",
        f"columns = {{ {columns} }}" if columns else "",
        f"headers = {json.dumps(source.headers)}" if source.headers else "",
        f'record = {{ format = "{source.record.format}"{each} }}' if spec.kind == "files" else "",
        'payload = { format = "opaque" }',
        'fate = [{ rule = "all", when = "TRUE", fate = "archived" }]',
        '[bus.metip]\nkind = "sql"\nurl = "sqlite:///${PLAN_DIR}/metip.db"',
    ]
    path.write_text("\n".join(lines))


def _unsaid(plan: Path, name: str, value: str) -> str:
    """What may hold a password stands in a file beside the plan, never in it."""
    if "@" not in value:
        return value
    plan.with_name(f"{name}.txt").write_text(value)
    return f"file:{name}.txt"
