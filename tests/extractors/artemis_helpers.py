"""Writing exports as Apache ActiveMQ Artemis does, and reading them, for the tests."""

import base64
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa

from extractors.artemis import ArtemisExportStore
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.schema import LEGACY

LARGE_CHUNK = 1000


@dataclass
class Message:
    """What the exporter is given."""

    number: int
    body: bytes = b""
    kind: str = "bytes"
    queues: Sequence[str] | None = ("orders",)
    properties: Sequence[tuple[str, str, str]] = ()  # name, value, type
    large: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


def attribute(text: str) -> str:
    """As XMLStreamWriter escapes an attribute's value."""
    return escape(text, {'"': "&quot;"})


def message_xml(message: Message) -> str:
    """A `<message>` as XMLMessageExporter writes it through PrettyPrintHandler."""
    attributes = {
        "id": str(message.number),
        "priority": "4",
        "expiration": "0",
        "timestamp": "1456789012345",
        "type": message.kind,
        **message.attributes,
    }
    lines = ["      <message" + "".join(f' {n}="{attribute(v)}"' for n, v in attributes.items())]
    lines[0] += ">"
    lines.append("         <properties>")
    lines += [
        f'            <property name="{attribute(n)}" value="{attribute(v)}" type="{t}"/>'
        for n, v, t in message.properties
    ]
    lines.append("         </properties>")
    if message.queues is not None:
        lines.append("         <queues>")
        lines += [f'            <queue name="{attribute(queue)}"/>' for queue in message.queues]
        lines.append("         </queues>")
    lines.append('         <body isLarge="true">' if message.large else "         <body>")
    lines += [f"            <![CDATA[{text}]]>" for text in _encoded(message)]
    lines += ["         </body>", "      </message>"]
    return "\n".join(lines)


def _encoded(message: Message) -> Iterable[str]:
    size = LARGE_CHUNK if message.large else max(len(message.body), 1)
    starts = range(0, len(message.body), size) if message.large else [0]
    for start in starts:
        yield base64.urlsafe_b64encode(message.body[start : start + size]).decode()


def export_xml(messages: Iterable[Message]) -> bytes:
    """A whole export."""
    written = "\n".join(message_xml(message) for message in messages)
    return (
        "\n<activemq-journal>\n   <bindings>\n"
        '      <address-binding routing-types="ANYCAST" name="orders" id="2"/>\n'
        '      <queue-binding address="orders" filter-string="a &gt; 1" name="orders" id="3"'
        ' routing-type="ANYCAST"/>\n   </bindings>\n   <messages>\n'
        f"{written}\n   </messages>\n</activemq-journal>"
    ).encode()


def text_body(text: str | None) -> bytes:
    """A nullable SimpleString."""
    if text is None:
        return b"\0"
    units = text.encode("utf-16-le", "surrogatepass")
    return b"\x01" + struct.pack(">i", len(units)) + units


def simple_string(text: str) -> bytes:
    units = text.encode("utf-16-le")
    return struct.pack(">i", len(units)) + units


def map_body(members: Mapping[str, tuple[int, bytes]]) -> bytes:
    """TypedProperties: by name the type's number and the value's bytes."""
    if not members:
        return b"\0"
    parts = [b"\x01", struct.pack(">i", len(members))]
    for name, (kind, value) in members.items():
        parts += [simple_string(name), bytes([kind]), value]
    return b"".join(parts)


def store(url: Path, **spec: object) -> ArtemisExportStore:
    """A store on an export."""
    return ArtemisExportStore(StoreSpec("bus", "artemis-export", str(url), **spec))  # type: ignore[arg-type]


def source(queue: str = "*", **more: object) -> SourceSpec:
    """A source of it."""
    return SourceSpec("flow", "bus", queue, **more)  # type: ignore[arg-type]


def read_all(found: ArtemisExportStore, of: SourceSpec) -> pa.Table:
    tables = [chunk.table for chunk in found.read(of)]
    return pa.concat_tables(tables or [LEGACY.empty_table()])


def rows_of(folder: Path, data: bytes, queue: str = "*", **spec: object) -> list[dict[str, object]]:
    """The records of a file with these bytes."""
    path = folder / "export.xml"
    path.write_bytes(data)
    return list(read_all(store(path, **spec), source(queue)).to_pylist())
