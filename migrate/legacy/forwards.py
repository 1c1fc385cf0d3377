"""Virtual destinations, as `activemq.xml` declares them."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from migrate.legacy.destinations import destination, several
from migrate.legacy.errors import BadRules

_COMPOSITES = {"compositeQueue": "queue", "compositeTopic": "topic"}
_UNDECIDED = {
    "selectorAware": "sends only what consumers select that happen to be there",
    "sendWhenNotMatched": "keeps a message that no filter takes, which is not followed here",
}
"""Settings that make routing depend on more than the message, where they are true."""


@dataclass(frozen=True, slots=True)
class Forward:
    """What is done with messages sent to a kind of destination whose name fits a pattern.

    `keeps`: they are in that destination too. `targets`: (destination, selector or None).
    `consumers`: of a virtual topic, what stands before and behind its name in the names of the
    queues it sends to.
    """

    kind: str
    pattern: str
    keeps: bool
    targets: tuple[tuple[str, str | None], ...] = ()
    consumers: tuple[str, str] | None = None

    @property
    def node(self) -> str:
        return f"{self.kind}://{self.pattern}"


DEFAULT = Forward("topic", "VirtualTopic.>", keeps=True, consumers=("Consumer.*.", ""))
"""What a broker does that configures no interceptors of destinations."""


def root_of(text: bytes) -> etree._Element:
    """The document. Raises BadRules for what is no XML, or has no broker in it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise BadRules("configuration", f"is no XML (line {line})") from None
    if not any(True for _ in _named(root, "broker")):
        raise BadRules("configuration", "has no <broker> in it", "name the broker's activemq.xml")
    return root


def declared(root: etree._Element) -> set[str]:
    """Destinations that the broker makes when it starts."""
    return {
        name
        for holder in _named(root, "destinations")
        if _local(holder.getparent()) == "broker"
        for each in holder
        if _local(each) in ("queue", "topic")
        for name in several(_local(each), each.get("physicalName", ""))
    }


def forwards(root: etree._Element) -> list[Forward]:
    """Every virtual destination, the broker's own default included. Raises BadRules."""
    interceptors = list(_named(root, "destinationInterceptors"))
    for each in _named(root, "mirroredQueue"):
        raise _undecided(each, "mirrors every queue to a topic, which is not followed here")
    broker = next(_named(root, "broker"))
    if not interceptors:
        return [DEFAULT] if broker.get("useVirtualTopics", "true") != "false" else []
    found = [_virtual_topic(each) for each in _named(root, "virtualTopic")]
    for name, kind in _COMPOSITES.items():
        found += [_composite(each, kind) for each in _named(root, name)]
    return found


def _virtual_topic(element: etree._Element) -> Forward:
    _decided(element)
    consumers = (element.get("prefix", "Consumer.*."), element.get("postfix", ""))
    return Forward("topic", element.get("name", ">"), keeps=True, consumers=consumers)


def _composite(element: etree._Element, kind: str) -> Forward:
    _decided(element)
    name = element.get("name")
    if not name:
        raise _undecided(element, "has no name")
    keeps = element.get("forwardOnly", "true") == "false"
    holders = (each for each in element if _local(each) == "forwardTo")
    targets = [target for holder in holders for each in holder for target in _targets(each)]
    return Forward(kind, name, keeps, tuple(targets))


def _targets(element: etree._Element) -> Iterator[tuple[str, str | None]]:
    kind = _local(element)
    if kind in ("queue", "topic"):
        for name in several(kind, element.get("physicalName", "")):
            yield name, None
    elif kind == "filteredDestination" and element.get("selector") is not None:
        yield _filtered(element), element.get("selector")
    elif kind == "filteredDestination":
        return  # the broker matches nothing where there is no filter
    elif kind:
        raise _undecided(element, "is no destination known here")


def _filtered(element: etree._Element) -> str:
    for kind in ("queue", "topic"):
        if name := element.get(kind):
            return destination(kind, name)
    for each in element.iter():
        if _local(each) in ("queue", "topic") and each.get("physicalName"):
            return destination(_local(each), each.get("physicalName", ""))
    raise _undecided(element, "names no destination")


def _decided(element: etree._Element) -> None:
    for name, what in _UNDECIDED.items():
        if element.get(name) == "true":
            raise _undecided(element, f"has {name}, and {what}")


def _undecided(element: etree._Element, what: str) -> BadRules:
    place = f"line {element.sourceline}, <{_local(element)}>"
    return BadRules(place, what, "read a copy of the configuration in which that is settled")


def _named(root: etree._Element, name: str) -> Iterator[etree._Element]:
    """Elements of a name in whatever namespace the document uses."""
    return (each for each in root.iter() if _local(each) == name)


def _local(element: etree._Element | None) -> str:
    """A name without its namespace; empty for comments and the like."""
    if element is None or not isinstance(element.tag, str):
        return ""
    return etree.QName(element).localname
