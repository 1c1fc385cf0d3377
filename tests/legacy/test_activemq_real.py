"""Virtual destinations lead where a real broker of the same configuration puts the messages."""

import subprocess
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from migrate.legacy.activemq import Subscription, read_configuration
from migrate.legacy.values import Message, Number
from tests.extractors.activemq_broker import class_path, java

HERE = Path(__file__).parent / "java"
CONFIG = HERE / "virtual.xml"
DESTINATIONS = (
    *("queue://IN", "queue://PLAIN", "queue://CHAIN.x", "queue://CHAIN", "queue://CHAIN.x.y"),
    *("queue://DEEP", "queue://DEEP.a", "queue://DEEP.a.b", "queue://NEW"),
    *("topic://VT.EVENTS", "topic://VT.EVENTS.MORE", "topic://VT", "topic://NEWS"),
    *("topic://OTHER", "topic://ELSE"),
)
SUBSCRIPTIONS = (
    Subscription("VT.EVENTS", "c", "all"),
    Subscription("VT.EVENTS", "c2", "typed", "JMSType = 'E1'"),
    Subscription("VT.>", "c3", "wide", "odd <> 2"),
    Subscription("OTHER", "c4", "other"),
)
SENT = list(product(DESTINATIONS, ("E1", ""), ("4", "5"), ("1", "2", "")))


def message(destination: str, kind: str, priority: str, odd: str) -> Message:
    return {
        "JMSDestination": destination,
        "JMSType": kind or None,
        "JMSPriority": Number("int", int(priority)),
        "odd": Number("int", int(odd)) if odd else None,
    }


@pytest.mark.service
def test_messages_reach_what_the_broker_puts_them_in(tmp_path: Path) -> None:
    """Composite queues and topics, filters, chains, wildcards, virtual topics, subscriptions."""
    subprocess.run(
        ["javac", "-cp", class_path(), "-d", str(tmp_path), str(HERE / "Virtual.java")], check=True
    )
    lines = [
        f"subscribe\t{s.topic}\t{s.client}\t{s.name}\t{s.selector or ''}" for s in SUBSCRIPTIONS
    ]
    lines += ["\t".join(("send", *each)) for each in SENT]
    (tmp_path / "log4j.properties").write_text("log4j.rootLogger=OFF\n")
    done = subprocess.run(
        [java(), "-XX:+UseSerialGC", "-cp", f"{tmp_path}:{class_path()}", "Virtual", str(CONFIG)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    held: set[tuple[int, str]] = set()
    for line in done.stdout.splitlines():
        if line.startswith("held\t"):
            _, number, where = line.split("\t")
            held.add((int(number), where))
    assert len(held) > len(SENT), done.stderr
    queues = {name for _, name in held if name.startswith("queue://")}
    topology = read_configuration(CONFIG.read_bytes(), queues, SUBSCRIPTIONS)
    ours = {
        (number, reached.endpoint)
        for number, each in enumerate(SENT)
        for reached in topology.reached(message(*each))
    }
    assert Counter(ours) == Counter(held)
