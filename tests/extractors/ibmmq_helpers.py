"""Writing dumps as dmpmqmsg and amqsbcg do, and reading them, for the tests."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from extractors.ibmmq import IbmMqDumpStore
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.schema import LEGACY

WIDTH = 25
NONE = "00" * 24
DESCRIPTOR: dict[str, str] = {
    "VER": "2",
    "RPT": "0",
    "MST": "8",
    "EXP": "-1",
    "FDB": "0",
    "ENC": "546",
    "CCS": "1208",
    "FMT": "MQSTR   ",
    "PRI": "4",
    "PER": "1",
    "MSI": NONE,
    "COI": NONE,
    "BOC": "0",
    "RTQ": " " * 48,
    "RTM": "QM1".ljust(48),
    "USR": "app".ljust(12),
    "ACC": "00" * 32,
    "AIX": "20" * 32,
    "PAT": "28",
    "PAN": "put.exe".ljust(28),
    "PTD": "20160630",
    "PTT": "21300512",
    "AOX": "20" * 4,
    "GRP": NONE,
    "MSQ": "1",
    "OFF": "0",
    "MSF": "0",
    "ORL": "-1",
}


@dataclass
class Message:
    """What is dumped."""

    number: int
    body: bytes = b""
    says: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        return f"414D5120514D31{self.number:034X}"

    def descriptor(self) -> dict[str, str]:
        return {**DESCRIPTOR, "MSI": self.identity, **self.says}


def header(queue: str = "ORDERS") -> bytes:
    """The comments at the top of a dump."""
    return (
        "* DMPMQMSG Version:8.0 Created:Thu Jun 30 22:31:00 2016\n"
        f"* Qmgr  = QM1\n* Queue = {queue}\n\n"
    ).encode()


def attributes(message: Message) -> bytes:
    return "".join(f"A {name} {text}\n" for name, text in message.descriptor().items()).encode()


def hexadecimal(body: bytes, *, columns: bool = False) -> bytes:
    """X lines as WriteFileMessageHex writes them; one without digits for no data."""
    lines = []
    for at in range(0, max(len(body), 1), WIDTH):
        piece = body[at : at + WIDTH]
        line = "X " + piece.hex().upper()
        if columns and piece:
            shown = "".join(chr(c) if 32 <= c < 127 else "." for c in piece)
            line += "  " * (WIDTH + 1 - len(piece)) + f"<{shown}>"
        lines.append(line)
    return "".join(line + "\n" for line in lines).encode()


def mixed(body: bytes) -> bytes:
    """S and X lines as WriteFileMessageText writes them with -dp."""
    out, at, first = b"", 0, True
    while first or at < len(body):
        end = at
        while end < len(body) and 32 <= body[end] < 127:
            end += 1
        if end > at or first:
            out += _strings(body[at:end])
        first, at = False, end
        while end < len(body) and not 32 <= body[end] < 127:
            end += 1
        if end > at:
            out += hexadecimal(body[at:end])
        at = end
    return out


def _strings(text: bytes) -> bytes:
    if not text:
        return b"S \n"
    size = WIDTH * 2 - 2
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    escaped = [piece.replace(b"~", b"~~").replace(b'"', b'~"') for piece in pieces]
    return b"".join(b'S "' + piece + b'"\n' for piece in escaped)


def qload(messages: Iterable[Message], queue: str = "ORDERS", body: object = hexadecimal) -> bytes:
    """A dump."""
    parts = [attributes(message) + body(message.body) for message in messages]  # type: ignore[operator]
    return header(queue) + b"".join(parts)


def bcg(messages: Sequence[Message], queue: str = "ORDERS", extra: bytes = b"") -> bytes:
    """What amqsbcg prints; `extra` stands between descriptor and data."""
    out = f"\nAMQSBCG0 - starts here\n**********************\n \n MQOPEN - '{queue}'\n ".encode()
    for number, message in enumerate(messages, 1):
        out += f"\n \n MQGET of message number {number}, CompCode:0 Reason:0".encode()
        out += _printed(message.descriptor()).encode() + extra
        size = len(message.body)
        out += f"\n \n****   Message      ****\n \n length - {size} of {size} bytes\n ".encode()
        out += b"".join(_dump(message.body))
    return out + b"\n \n \n No more messages \n MQCLOSE\n MQDISC\n"


def _dump(body: bytes) -> Iterable[bytes]:
    for at in range(0, max(len(body), 1), 16):
        piece = body[at : at + 16]
        digits = "".join(f" {piece[n : n + 2].hex().upper():4}" for n in range(0, 16, 2))
        shown = bytes(c if 32 <= c < 127 else 46 for c in piece).ljust(16)
        yield f"\n{at:08X}: {digits} ".encode() + b"'" + shown + b"'"


def _printed(says: Mapping[str, str]) -> str:
    """The descriptor as printMD prints it."""
    blank = bytes.fromhex(says["AIX"]).decode(), bytes.fromhex(says["AOX"]).decode()
    return (
        "\n****Message descriptor****\n"
        f"\n  StrucId  : 'MD  '  Version : {says['VER']}"
        f"\n  Report   : {says['RPT']}  MsgType : {says['MST']}"
        f"\n  Expiry   : {says['EXP']}  Feedback : {says['FDB']}"
        f"\n  Encoding : {says['ENC']}  CodedCharSetId : {says['CCS']}"
        f"\n  Format : '{says['FMT']}'"
        f"\n  Priority : {says['PRI']}  Persistence : {says['PER']}"
        f"\n  MsgId : X'{says['MSI']}'\n  CorrelId : X'{says['COI']}'"
        f"\n  BackoutCount : {says['BOC']}"
        f"\n  ReplyToQ       : '{says['RTQ']}'\n  ReplyToQMgr    : '{says['RTM']}'"
        f"\n  ** Identity Context\n  UserIdentifier : '{says['USR']}'"
        f"\n  AccountingToken : \n   X'{says['ACC']}'\n  ApplIdentityData : '{blank[0]}'"
        f"\n  ** Origin Context\n  PutApplType    : '{says['PAT']}'"
        f"\n  PutApplName    : '{says['PAN']}'"
        f"\n  PutDate  : '{says['PTD']}'    PutTime  : '{says['PTT']}'"
        f"\n  ApplOriginData : '{blank[1]}'\n"
        f"\n  GroupId : X'{says['GRP']}'\n  MsgSeqNumber   : '{says['MSQ']}'"
        f"\n  Offset         : '{says['OFF']}'\n  MsgFlags       : '{says['MSF']}'"
        f"\n  OriginalLength : '{says['ORL']}'"
    )


def rfh2(
    folders: Sequence[str],
    body: bytes,
    *,
    form: str = "MQSTR",
    ccsid: int = 1208,
    names: int = 1208,
    order: str = "<",
) -> bytes:
    """An MQRFH2 in front of data; folders padded to four bytes as the reference asks."""
    charset = {1200: "utf-16-le" if order == "<" else "utf-16-be"}.get(names, "utf-8")
    data = b""
    for folder in folders:
        text = (folder + " " * (-len(folder) % 4)).encode(charset)
        data += struct.pack(f"{order}i", len(text)) + text
    encoding = 546 if order == "<" else 273
    fixed = struct.pack(f"{order}4siiii", b"RFH ", 2, 36 + len(data), encoding, ccsid)
    fixed += form.ljust(8).encode() + struct.pack(f"{order}ii", 0, names)
    return fixed + data + body


def dlh(body: bytes, *, form: str = "MQSTR", reason: int = 2053) -> bytes:
    """A dead-letter header in front of data, numbers high byte first."""
    fixed = struct.pack(">4sii", b"DLH ", 1, reason) + b"ORDERS".ljust(48) + b"QM1".ljust(48)
    fixed += struct.pack(">ii", 273, 819) + form.ljust(8).encode() + struct.pack(">i", 28)
    return fixed + b"put.exe".ljust(28) + b"20160630" + b"21300512" + body


def store(url: Path, **spec: object) -> IbmMqDumpStore:
    """A store on a dump."""
    return IbmMqDumpStore(StoreSpec("mq", "ibmmq-dump", str(url), **spec))  # type: ignore[arg-type]


def source(queue: str = "*", **more: object) -> SourceSpec:
    """A source of it."""
    return SourceSpec("flow", "mq", queue, **more)  # type: ignore[arg-type]


def read_all(found: IbmMqDumpStore, of: SourceSpec) -> pa.Table:
    tables = [chunk.table for chunk in found.read(of)]
    return pa.concat_tables(tables or [LEGACY.empty_table()])


def rows_of(
    folder: Path, data: bytes, of: SourceSpec | None = None, **spec: object
) -> list[dict[str, object]]:
    """The records of a file with these bytes."""
    path = folder / "orders.dmp"
    path.write_bytes(data)
    return list(read_all(store(path, **spec), of or source()).to_pylist())
