"""Apache ActiveMQ's `activemq.xml` as rules: composite destinations, virtual topics, filtered
destinations; and the durable subscriptions that wait for topics.

A message enters at the destination it was sent to. Sources: the product's documentation of virtual
and composite destinations, and `org.apache.activemq.broker.region.virtual`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from migrate.legacy.conditions import Always, Selected
from migrate.legacy.destinations import QUEUE, TOPIC, name_fits, queue
from migrate.legacy.errors import BadRules
from migrate.legacy.forwards import Forward, declared, forwards, root_of
from migrate.legacy.model import Condition, Endpoint, Entry, Rule, Topology
from migrate.legacy.selector import SelectorError, parse
from migrate.legacy.values import Message, text_of

SENT_TO = "JMSDestination"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A durable subscription of a topic (bare name); an endpoint under the name `client:name`."""

    topic: str
    client: str
    name: str
    selector: str | None = None

    @property
    def label(self) -> str:
        return f"{self.client}:{self.name}"


def read_configuration(
    text: bytes, queues: Iterable[str] = (), subscriptions: Sequence[Subscription] = ()
) -> Topology:
    """The routing of one broker.

    `queues`: those that are known to be there besides (`queue://NAME`, or bare): virtual topics
    send to the queues there are. Raises BadRules for what is no configuration, and for settings
    that make routing depend on more than the message.
    """
    root = root_of(text)
    virtual = _Virtual(forwards(root), {*declared(root), *map(queue, queues)})
    waiting = [_subscribed(each) for each in subscriptions]
    labels = frozenset(each.label for each in subscriptions)
    held = [name for name in sorted(virtual.known) if virtual.holds(name)]
    listed = [rule for name in sorted(virtual.known) for rule in virtual.rules(name)]
    return Topology(
        [Endpoint(name) for name in (*held, *sorted(labels))],
        waiting,
        Entry(frozenset({SENT_TO}), _entered),
        holds=lambda node: node in labels or virtual.holds(node),
        more=lambda node: (*virtual.rules(node), *_waiting(waiting, node)),
        names=virtual.names.union(*(rule.when.names for rule in listed)),
    )


def _entered(message: Message) -> str | None:
    return text_of(message.get(SENT_TO))


class _Virtual:
    """What a broker does with a message sent to a destination, whatever its name."""

    def __init__(self, found: Sequence[Forward], queues: set[str]) -> None:
        self._forwards = found
        self._when: dict[str, Condition] = {}
        targets = {name for forward in found for name, _ in forward.targets}
        plain = {forward.node for forward in found if not {"*", ">"} & set(forward.pattern)}
        self.known = {name for name in queues | targets | plain if name.startswith(QUEUE)}
        self.names = frozenset[str]().union(
            *(self._condition(text).names for each in found for _, text in each.targets)
        )

    def holds(self, node: str) -> bool:
        """Whether a queue keeps what is sent to it; a topic keeps nothing."""
        if not node.startswith(QUEUE):
            return False
        own = self._of(node)
        return not own or any(forward.keeps for forward in own)

    def rules(self, node: str) -> list[Rule]:
        """Where messages sent to a destination go on to."""
        return [rule for forward in self._of(node) for rule in self._rules(node, forward)]

    def _rules(self, node: str, forward: Forward) -> Iterator[Rule]:
        for target, selector in forward.targets:
            said = f" [{selector}]" if selector else ""
            yield Rule(f"{node}{said} → {target}", node, target, self._condition(selector))
        if forward.consumers is not None:
            prefix, postfix = forward.consumers
            wanted = f"{prefix}{_bare(node)}{postfix}"
            for target in sorted(self.known):
                if name_fits(wanted, _bare(target)):
                    yield Rule(f"{node} (virtual topic) → {target}", node, target, Always())

    def _of(self, node: str) -> list[Forward]:
        return [
            each
            for each in self._forwards
            if node.startswith(f"{each.kind}://") and name_fits(each.pattern, _bare(node))
        ]

    def _condition(self, selector: str | None) -> Condition:
        if not selector:
            return Always()
        if selector not in self._when:
            self._when[selector] = _selected(selector, "a filtered destination")
        return self._when[selector]


def _bare(node: str) -> str:
    return node.partition("://")[2]


def _subscribed(subscription: Subscription) -> Rule:
    topic = TOPIC + subscription.topic.removeprefix(TOPIC)
    place = f"subscription {subscription.label}"
    selector = (subscription.selector or "").strip()
    when = _selected(selector, place) if selector else Always()
    said = f" [{selector}]" if selector else ""
    return Rule(f"{topic}{said} → {subscription.label}", topic, subscription.label, when)


def _waiting(rules: Sequence[Rule], node: str) -> Iterator[Rule]:
    """Subscriptions of a pattern of topics; those of the topic itself are found by its name."""
    for rule in rules:
        own = rule.source == node or not node.startswith(TOPIC)
        if not own and name_fits(_bare(rule.source), _bare(node)):
            yield rule


def _selected(text: str, place: str) -> Condition:
    try:
        return Selected(parse(text))
    except SelectorError as error:
        raise BadRules(place, f"its selector is none: {error}") from None
