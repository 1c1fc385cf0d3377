"""Names of ActiveMQ's destinations: `queue://A.B`, `topic://C`, and patterns of them.

In a pattern `*` is one element between dots, `>` any number of them at the end, none included
(`org.apache.activemq.filter.DestinationMap`).
"""

from collections.abc import Iterator

QUEUE, TOPIC = "queue://", "topic://"


def queue(name: str) -> str:
    """The full name of a queue, given bare or full; other destinations stay what they are."""
    return destination("queue", name)


def destination(kind: str, name: str) -> str:
    """The full name of a destination of a kind (queue or topic), unless the name says another."""
    name = name.strip()
    if "://" in name:
        return name
    return f"{kind}://{name}"


def several(kind: str, names: str) -> Iterator[str]:
    """A composite name: destinations joined by commas."""
    yield from (destination(kind, name) for name in names.split(",") if name.strip())


def name_fits(pattern: str, name: str) -> bool:
    """Whether a bare name fits a pattern."""
    wanted, found = pattern.split("."), name.split(".")
    if wanted[-1] == ">":
        wanted = wanted[:-1]
        found = found[: len(wanted)]
    return len(wanted) == len(found) and all(
        one in ("*", other) for one, other in zip(wanted, found, strict=True)
    )
