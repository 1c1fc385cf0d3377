"""Headers at the start of a message's data: MQRFH2 and the dead-letter header MQDLH.

Sources: IBM's reference of MQRFH2 and MQDLH. Numbers are written in the
order that the encoding field before them says; their own version field shows which, so a wrong
one does no harm. Folders of an MQRFH2 are XML without a prologue, each a tree of its own.
"""

from typing import NamedTuple
from xml.parsers import expat

from extractors.exports.unit import Header
from extractors.ibmmq.ccsid import codec_of

RFH2, DEAD = "MQHRF2", "MQDEAD"
_RFH2_LENGTH = 36
_DLH_LENGTH = 172
_EBCDIC = ("RFH ".encode("cp500"), "DLH ".encode("cp500"))
_DEEPEST = 50
_INHERIT = -2


class Data(NamedTuple):
    """What is left of a message's data, and what it is said to be."""

    body: bytes
    form: str  # the format name, trimmed
    ccsid: int
    little: bool
    headers: tuple[Header, ...] = ()
    dead: bool = False


class BadHeader(ValueError):
    """A header that is not what its format name says; the text is the header's name."""


def peeled(data: Data) -> Data:
    """The data behind all its headers, which become `headers`. Raises BadHeader."""
    while data.form in (RFH2, DEAD):
        data = _rfh2(data) if data.form == RFH2 else _dlh(data)
    return data


def is_little(encoding: int) -> bool:
    """Whether an MQMD encoding says that integers are written low byte first."""
    return encoding & 0xF == 2


class _Reader:
    """Fixed fields of a header."""

    def __init__(self, body: bytes, name: str, identifier: bytes, version: int, least: int) -> None:
        if len(body) < least or body[:4] not in (identifier, *_EBCDIC):
            raise BadHeader(name)
        orders = [little for little in (False, True) if _number(body[4:8], little) == version]
        if not orders:
            raise BadHeader(name)
        self.little = orders[0]
        self.ebcdic = body[:4] != identifier
        self._body = body

    def number(self, at: int) -> int:
        """A long."""
        return _number(self._body[at : at + 4], self.little)

    def text(self, at: int, length: int) -> str:
        """A field of characters, trimmed."""
        written = self._body[at : at + length].decode("cp500" if self.ebcdic else "latin-1")
        return written.rstrip(" \0")


def _rfh2(data: Data) -> Data:
    reader = _Reader(data.body, "MQRFH2", b"RFH ", 2, _RFH2_LENGTH)
    length = reader.number(8)
    if not _RFH2_LENGTH <= length <= len(data.body):
        raise BadHeader("MQRFH2")
    numbers = {"Encoding": 12, "CodedCharSetId": 16, "Flags": 28, "NameValueCCSID": 32}
    headers: list[Header] = [
        (f"MQRFH2.{name}", "long", str(reader.number(at))) for name, at in numbers.items()
    ]
    headers.append(("MQRFH2.Format", "char", reader.text(20, 8)))
    charset = codec_of(reader.number(32), little=reader.little)
    for folder in _folders(data.body[_RFH2_LENGTH:length], reader):
        headers += _folder(folder, charset)
    ccsid = reader.number(16)
    return Data(
        data.body[length:],
        reader.text(20, 8),
        data.ccsid if ccsid == _INHERIT else ccsid,
        is_little(reader.number(12)),
        (*data.headers, *headers),
        data.dead,
    )


def _folders(data: bytes, reader: _Reader) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at < len(data):
        length = _number(data[at : at + 4], reader.little)
        at += 4
        if not 0 <= length <= len(data) - at:
            raise BadHeader("MQRFH2")
        found.append(data[at : at + length])
        at += length
    return found


def _folder(data: bytes, charset: str | None) -> list[Header]:
    """The leaves of a folder, `jms.Dst`, with their types; a string where none is written."""
    try:
        text = data.decode(charset or "utf-8").strip(" \0\r\n\t")
        return _Folder().parse(text) if text else []
    except (LookupError, ValueError, expat.ExpatError):
        raise BadHeader("MQRFH2") from None


class _Folder:
    """Collects the leaves of a folder from expat."""

    def __init__(self) -> None:
        self._found: list[Header] = []
        self._names: list[str] = []
        self._texts: list[list[str]] = []
        self._written: list[dict[str, str]] = []
        self._parents: list[bool] = []

    def parse(self, text: str) -> list[Header]:
        """Raises ExpatError, or ValueError for a DOCTYPE or folders in folders without end."""
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(text.encode(), True)
        return self._found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._names) == _DEEPEST:
            raise ValueError("folders")
        if self._parents:
            self._parents[-1] = True
        self._names.append(name)
        self._texts.append([])
        self._written.append(attributes)
        self._parents.append(False)

    def _end(self, _: str) -> None:
        path = ".".join(self._names)
        text, written = "".join(self._texts.pop()), self._written.pop()
        kind = written.pop("dt", "string")
        null = written.pop("xsi:nil", "false") == "true"
        for name, value in written.items():
            self._found.append((f"{path}@{name}", "attribute", value))
        if not self._parents.pop() and len(self._names) > 1:
            self._found.append((path, "null" if null else kind, None if null else text))
        elif text.strip():
            self._found.append((path, kind, text))
        self._names.pop()

    def _text(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)


def _dlh(data: Data) -> Data:
    reader = _Reader(data.body, "MQDLH", b"DLH ", 1, _DLH_LENGTH)
    headers: list[Header] = [
        ("MQDLH.Reason", "long", str(reader.number(8))),
        ("MQDLH.DestQName", "char", reader.text(12, 48)),
        ("MQDLH.DestQMgrName", "char", reader.text(60, 48)),
        ("MQDLH.Encoding", "long", str(reader.number(108))),
        ("MQDLH.CodedCharSetId", "long", str(reader.number(112))),
        ("MQDLH.Format", "char", reader.text(116, 8)),
        ("MQDLH.PutApplType", "long", str(reader.number(124))),
        ("MQDLH.PutApplName", "char", reader.text(128, 28)),
        ("MQDLH.PutDate", "char", reader.text(156, 8)),
        ("MQDLH.PutTime", "char", reader.text(164, 8)),
    ]
    ccsid = reader.number(112)
    return Data(
        data.body[_DLH_LENGTH:],
        reader.text(116, 8),
        data.ccsid if ccsid == _INHERIT else ccsid,
        is_little(reader.number(108)),
        (*data.headers, *headers),
        dead=True,
    )


def _number(data: bytes, little: bool) -> int:
    return int.from_bytes(data, "little" if little else "big", signed=True)


def _refuse(*_: object) -> None:
    raise ValueError("DOCTYPE")
