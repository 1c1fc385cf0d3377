"""Make a small legacy estate of Spring Integration.

    python prepare.py ESTATE

The estate is a database with the tables of two Spring Integration applications, invented messages
in them, and the plan of this folder with the reference table of its channels.
"""

import csv
import json
import shutil
import sqlite3
import sys
import uuid
from pathlib import Path

from channels import group_key

HERE = Path(__file__).parent
CHANNELS = ("store:custody.in", "store:nfd.out", "dispatch.in", "dispatch.urgent")
START = 1_522_540_800_000  # 2018-04-01T00:00:00Z in milliseconds
REGION = "DEFAULT"

# A GenericMessage with a text and one header, as OpenJDK 17 wrote it, up to the payload's text:
# that stands behind it with its length in two bytes.
GENERIC_MESSAGE = bytes.fromhex(
    "aced0005737200346f72672e737072696e676672616d65776f726b2e6d6573736167696e672e737570706f72742e47"
    "656e657269634d6573736167653b3dd3f0a69d469a0200024c00076865616465727374000f4c6a6176612f7574696c"
    "2f4d61703b4c00077061796c6f61647400124c6a6176612f6c616e672f4f626a6563743b7870737200116a6176612e"
    "7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c"
    "6478703f4000000000000c770800000010000000017400087072696f72697479737200116a6176612e6c616e672e49"
    "6e746567657212e2a0a4f781873802000149000576616c7565787200106a6176612e6c616e672e4e756d62657286ac"
    "951d0b94e08b0200007870000000047874"
)


def java(text: str) -> bytes:
    """A serialised GenericMessage with this text for a payload."""
    data = text.encode()
    return GENERIC_MESSAGE + len(data).to_bytes(2, "big") + data


def dispatch(number: int) -> str:
    """A message as 7.0 writes it: classes named, headers as pairs of class and value."""
    message = {
        "@class": "org.springframework.messaging.support.GenericMessage",
        "payload": {
            "@class": "uk.example.dispatch.Incident",
            "incident": f"CAD-{number:05d}",
            "grade": "ISC"[number % 3],
            "callsigns": ["java.util.ArrayList", [f"ZX{number % 41:02d}", f"ZX{number % 7:02d}"]],
        },
        "headers": {
            "@class": "java.util.HashMap",
            "id": ["java.util.UUID", message_id("dispatch", number)],
            "timestamp": ["java.lang.Long", START + 1000 * number],
        },
    }
    return json.dumps(message)


def message_id(of: str, number: int) -> str:
    """An invented message id, the same every time."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{of} {number}"))


def fill(connection: sqlite3.Connection) -> None:
    """All tables of both applications."""
    connection.executescript((HERE / "store.sql").read_text(encoding="utf-8"))
    waiting = "INSERT INTO {} VALUES (?, ?, ?, ?, ?, ?, ?)"
    custody, nfd, calls, urgent = map(group_key, CHANNELS)
    for number in range(60):
        body = b"not a Java stream" if number == 33 else java(f"<custody no='{number}'/>")
        group = nfd if number % 4 == 0 else custody
        row = (message_id("int", number), group, START + 500 * (number // 3), number % 10, number)
        connection.execute(waiting.format("INT_CHANNEL_MESSAGE"), (*row, body, REGION))
    for number in range(90):
        group = urgent if number % 3 == 0 else calls
        row = (message_id("dispatch", number), group, START + 1000 * (number // 2), None, number)
        body = dispatch(number)
        connection.execute(waiting.format("DISPATCH_CHANNEL_MESSAGE"), (*row, body, REGION))
    held = group_key("aggregator.impressions")
    stamp = "2018-07-01 12:00:00"
    for number in range(12):
        name = message_id("held", number)
        row = (name, REGION, f"2018-07-01 12:{number:02d}:00", java(f"impression {number}"))
        connection.execute("INSERT INTO INT_MESSAGE VALUES (?, ?, ?, ?)", row)
        connection.execute(
            "INSERT INTO INT_GROUP_TO_MESSAGE VALUES (?, ?, ?)", (held, name, REGION)
        )
    group = (held, REGION, None, 0, 0, stamp, stamp)
    connection.execute("INSERT INTO INT_MESSAGE_GROUP VALUES (?, ?, ?, ?, ?, ?, ?)", group)
    seen = ("files/nightly.csv", "1530446400000", REGION)
    connection.execute("INSERT INTO INT_METADATA_STORE VALUES (?, ?, ?)", seen)
    lock = (group_key("leader"), REGION, message_id("client", 1), stamp)
    connection.execute("INSERT INTO INT_LOCK VALUES (?, ?, ?, ?)", lock)


def prepare(folder: Path) -> None:
    """Lay out the estate in a new folder."""
    (folder / "ref").mkdir(parents=True)
    connection = sqlite3.connect(folder / "store.db")
    with connection:
        fill(connection)
    connection.close()
    with (folder / "ref" / "channels.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("group_key", "channel"))
        out.writerows((group_key(name), name) for name in CHANNELS)
    for part in ("maps", "schemas"):
        shutil.copytree(HERE / part, folder / part)
    shutil.copy(HERE / "plan.toml", folder)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
