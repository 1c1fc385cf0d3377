"""Control totals: the printed commands, run by a shell, give the printed values."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.core.flow import RecordSpec, SourceSpec
from tests.extractors.files_helpers import make_spool, read_all, source, store

NAMES = ("plain", 'it\'s [1] a "name" $(x)', "deep/er/é", "back\\slash", "line\nend")
FILES: dict[str, list[bytes]] = {
    "file": [b"", b"\xff\0\r\n", b"abc"],
    "csv": [
        b'h,"two\nlines"\r\n1,"a\r\nb ""c"""\r\n\r\n2\n3\r4,"last"',
        '\ufeff"h",i\n10,é\n"10",x\n21,y\n'.encode(),
        'h;"i\nj"\r\né;𝄞\r\n'.encode("utf-16"),
        b"h\n" + "é\n".encode("cp1252"),
        b"",
        b"h",
        b'h\n5" pipe\n"never\nclosed\n',
    ],
    "jsonl": [b'{"a":1}\r\n\n \t\n{"b"\n[2]', "\ufeff{}\n{}\n".encode("utf-16"), b"", b"\n"],
    "text": [b"a\r\nb\rc\n\n\nd", "é\n".encode("cp1252"), b"", b"\x0c\n\x0b"],
    "fixed": [b"10a\n21b\r\n21c\n99", b"", "21é".encode()],
    "json": [
        b'{"items": [1, [2], {"a": "]"}, null]}',
        b'\xef\xbb\xbf{"x": 0, "items": []}',
        b'{"items": [1, 2',
        b'{"items": {"a": 1}}',
        b'{"item": [1]}',
        b"[NaN]",
        '{"items": ["é"]}'.encode("utf-16"),
        b'{"items": ["\xff"]}',
        b"",
    ],
    "xml": [
        b'<b xmlns:p="u"><i a=">"/><p:i><i/></p:i><o><i/></o><!--<i/>--></b>',
        b"<b><i/><i>broken",
        b"<!DOCTYPE b><b><i/></b>",
        b"<other><i/></other>",
        b"",
        b"<b/>",
        '<?xml version="1.0" encoding="utf-16"?><b><i>\u00e9</i></b>'.encode("utf-16"),
        '<?xml version="1.0" encoding="windows-1252"?><b><i>é</i></b>'.encode("cp1252"),
    ],
}
SPECS = [
    RecordSpec("file"),
    RecordSpec("json"),
    RecordSpec("xml"),
    RecordSpec("csv"),
    RecordSpec("csv", charset="detect"),
    RecordSpec("csv", header=False, columns=("h",)),
    RecordSpec("csv", delimiter=";", quote="'"),
    RecordSpec("csv", quote=""),
    RecordSpec("csv", header=False, record_type="10"),
    RecordSpec("jsonl"),
    RecordSpec("text"),
    RecordSpec("fixed"),
    RecordSpec("fixed", record_type="21"),
    RecordSpec("json", each="/items/*"),
    RecordSpec("xml", each="/b/i"),
    RecordSpec("xml", each="/*/{u}i"),
]


def fill(root: Path, spec: RecordSpec) -> Path:
    """Every awkward file of a format, under every awkward name in turn, and some beside them."""
    contents = FILES[spec.format]
    files = {
        f"in/{NAMES[number % len(NAMES)]}{number}.x": data for number, data in enumerate(contents)
    }
    return make_spool(root, {**files, "in/copy.x": contents[0], "out/of/reach.x": b"no"})


def run(command: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, check=True, env={**os.environ, "LANG": "C"}
    )
    assert done.stderr == b""
    return done.stdout.decode().strip()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: repr(spec)[11:-1])
def test_every_command_gives_its_value(tmp_path: Path, spec: RecordSpec) -> None:
    """Over files of every kind, broken ones too, without what is out of scope."""
    spool = fill(tmp_path / "a 'root'", spec)
    left_out = (("in/copy.x", "a copy"), ("in/*.x#99", "trailers"))
    if spec.format not in ("csv", "fixed"):
        left_out = left_out[:1]
    found = store(spool, out_of_scope=left_out)
    flow = source("in/**/*.x", spec)
    controls = {control.name: control for control in found.population(flow).controls}
    assert {name: run(c.query) for name, c in controls.items()} == {
        name: control.value for name, control in controls.items()
    }
    elements = spec.format in ("xml", "json") and spec.each
    assert ("body_bytes" in controls) != bool(elements)
    assert controls["files"].value == str(len(FILES[spec.format]))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: repr(spec)[11:-1])
def test_controls_are_what_is_read(tmp_path: Path, spec: RecordSpec) -> None:
    """Rows, and the bytes of their bodies."""
    found = store(fill(tmp_path, spec))
    flow: SourceSpec = source("in/**/*.x", spec)
    population = found.population(flow)
    values = {control.name: control.value for control in population.controls}
    table = read_all(found, flow, population)
    assert values["rows"] == str(table.num_rows) == str(population.rows)
    sizes = sum(map(len, table.column("body").to_pylist()))
    assert values.get("body_bytes", str(sizes)) == str(sizes)


def test_a_flow_without_files_has_controls_too(tmp_path: Path) -> None:
    """All nothing, and the commands say so."""
    for spec in (RecordSpec("csv"), RecordSpec("file")):
        for control in store(tmp_path).population(source("*.x", spec)).controls:
            assert run(control.query) == control.value


def test_a_declared_wide_charset_is_counted(tmp_path: Path) -> None:
    """Without a mark in the files."""
    spool = make_spool(tmp_path, {"a.x": "h\né,𝄞\n".encode("utf-16-le")})
    for spec in (RecordSpec("csv"), RecordSpec("text")):
        flow = source("*", replace(spec, charset="utf-16"))
        for control in store(spool).population(flow).controls:
            assert run(control.query) == control.value
