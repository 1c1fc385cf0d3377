"""XML that asks for files, sockets and memory: no reader gives it any of them."""

import ctypes
import ctypes.util
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from migrate.core.flow import FieldSpec, PayloadSpec, RecordSpec
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Refused
from tests.extractors import artemis_helpers as artemis
from tests.extractors.files_helpers import make_spool, read_all, source, store
from tests.hostile.readers import WAYS

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(10))
CASES = {
    "external entity": '<!DOCTYPE b [<!ENTITY x SYSTEM "{file}">]><b><i>&x;</i></b>',
    "external entity by http": '<!DOCTYPE b [<!ENTITY x SYSTEM "{http}">]><b><i>&x;</i></b>',
    "public identifier": '<!DOCTYPE b [<!ENTITY x PUBLIC "p" "{file}">]><b><i>&x;</i></b>',
    "unparsed entity": (
        '<!DOCTYPE b [<!NOTATION n SYSTEM "n"><!ENTITY x SYSTEM "{file}" NDATA n>]>'
        '<b><i a="x"/></b>'
    ),
    "external DTD": '<!DOCTYPE b SYSTEM "{file}"><b><i/></b>',
    "external DTD by http": '<!DOCTYPE b PUBLIC "p" "{http}"><b><i/></b>',
    "parameter entity": '<!DOCTYPE b [<!ENTITY % p SYSTEM "{file}"> %p;]><b><i/></b>',
    "parameter entity by http": '<!DOCTYPE b [<!ENTITY % p SYSTEM "{http}"> %p;]><b><i/></b>',
    "billion laughs": f'<!DOCTYPE b [<!ENTITY l0 "ha">{LAUGHS}]><b><i>&l10;</i></b>',
    "quadratic blow-up": (
        f'<!DOCTYPE b [<!ENTITY a "{"x" * 50_000}">]><b><i>{"&a;" * 50_000}</i></b>'
    ),
    "entity that holds itself": '<!DOCTYPE b [<!ENTITY a "&a;">]><b><i>&a;</i></b>',
    "default attributes": '<!DOCTYPE b [<!ATTLIST i a CDATA "added">]><b><i/></b>',
    "inclusion": (
        '<b xmlns:xi="http://www.w3.org/2001/XInclude"><i><xi:include href="{file}"/></i></b>'
    ),
    "style sheet": '<?xml-stylesheet type="text/xsl" href="{http}"?><b><i/></b>',
    "schema": (
        '<b xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:noNamespaceSchemaLocation="{file}"><i/></b>'
    ),
    "entity nobody defined": "<b><i>&x;</i></b>",
}
SECRET = b"<!ENTITY secret 'kept'>"
_OPENED = 0x20 | 0x1  # IN_OPEN, IN_ACCESS


class Bait:
    """A file and a server that notice whoever comes near them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "secret.dtd"
        self.file.write_bytes(SECRET)
        self._library = ctypes.CDLL(ctypes.util.find_library("c"), use_errno=True)
        self._watch = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self._library.inotify_add_watch(self._watch, bytes(self.file), _OPENED) >= 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.http = f"http://127.0.0.1:{self._server.getsockname()[1]}/secret.dtd"

    def taken(self) -> list[str]:
        """What was opened, or connected to, since this was last asked."""
        found = []
        with suppress(BlockingIOError):
            found += ["file"] if os.read(self._watch, 4096) else []
        with suppress(BlockingIOError):
            self._server.accept()[0].close()
            found.append("socket")
        return found

    def close(self) -> None:
        """Stop watching."""
        os.close(self._watch)
        self._server.close()


@pytest.fixture
def bait(tmp_path: Path) -> Iterator[Bait]:
    """In a folder of its own."""
    folder = tmp_path / "bait"
    folder.mkdir()
    found = Bait(folder)
    yield found
    found.close()


def document(case: str, bait: Bait) -> bytes:
    text = CASES[case].replace("{file}", bait.file.as_uri()).replace("{http}", bait.http)
    return text.encode()


def test_the_bait_notices(bait: Bait) -> None:
    """A test that cannot fail proves nothing."""
    assert bait.file.read_bytes() == SECRET
    with socket.create_connection(("127.0.0.1", int(bait.http.split(":")[2].split("/")[0]))):
        assert bait.taken() == ["file", "socket"]
    assert bait.taken() == []


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", WAYS)
def test_no_reader_opens_what_a_document_names(
    tmp_path: Path, bait: Bait, way: str, case: str
) -> None:
    """Nor expands, nor fetches; the rule for hostile files holds."""
    (tmp_path / "way").mkdir()
    WAYS[way](tmp_path / "way", document(case, bait))
    assert bait.taken() == []


@pytest.mark.parametrize("case", CASES)
def test_a_document_type_keeps_the_file_whole(tmp_path: Path, bait: Bait, case: str) -> None:
    """One record with a problem where there is a DOCTYPE; what is cut is cut exactly as written."""
    data = document(case, bait)
    spool = make_spool(tmp_path / "spool", {"a.xml": data})
    rows = read_all(store(spool), source("*", RecordSpec("xml", each="/b/i"))).to_pylist()
    if b"<!DOCTYPE" in data:
        assert [(row["body"], row["problem"]) for row in rows] == [(data, "payload.doctype")]
    else:
        assert all(row["body"] in data for row in rows)
    assert SECRET not in b"".join(row["body"] for row in rows)


@pytest.mark.parametrize("case", CASES)
def test_no_field_holds_what_an_entity_stands_for(bait: Bait, case: str) -> None:
    """A payload with a DOCTYPE, or an entity nobody defined, yields no fields."""
    reader = payload_reader(PayloadSpec("xml", (FieldSpec("f", "string(/b)"),)))
    data = document(case, bait)
    try:
        values, _ = reader.read(Body(data))
    except Refused as refused:
        assert b"<!DOCTYPE" not in data or refused.reason == "payload.doctype"
    else:
        assert b"<!DOCTYPE" not in data
        assert values == [""]
    assert bait.taken() == []


def test_an_export_with_a_document_type_is_refused_whole(tmp_path: Path, bait: Bait) -> None:
    """Entities in a message of an export are never looked up."""
    export = artemis.export_xml([artemis.Message(1, b"x")])
    doctype = f'<!DOCTYPE activemq-journal [<!ENTITY x SYSTEM "{bait.file.as_uri()}">]>'.encode()
    hostile = doctype + export.replace(b'priority="4"', b'priority="&x;"')
    rows = artemis.rows_of(tmp_path, hostile)
    assert [row["problem"] for row in rows] == ["payload.doctype"]
    assert bait.taken() == []
