"""Durable subscriptions: who has still to get which message of a topic.

ACTIVEMQ_ACKS has one row for a subscription, or one for each priority where the broker keeps
messages by priority. A message is acknowledged when its ID is not above the LAST_ACKED_ID of the
row that counts: the only one, or the one of its priority. Where there is no such row, nothing of
that priority is acknowledged. (`DefaultJDBCAdapter.doRecoverSubscription` and its neighbours.)
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from extractors.activemq.tables import Tables, find
from extractors.sql.cells import texts
from extractors.sql.scan import cells_of, forms_of
from extractors.sql.sessions import Session
from extractors.sql.statement import Sql


@dataclass(slots=True)
class Subscription:
    """One durable subscription; `acknowledged`: the last ID by priority."""

    client: str
    name: str
    selector: str | None
    acknowledged: dict[str | None, int | None] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.client}:{self.name}"

    def waits_for(self, number: int, priority: str | None) -> bool:
        """Whether the message of this ID and priority is still to be delivered."""
        if len(self.acknowledged) == 1:
            (last,) = self.acknowledged.values()
        else:
            last = self.acknowledged.get(priority)
        return last is None or number > last


class Subscriptions:
    """All of a store, by topic, in the order of client and name."""

    def __init__(self, found: dict[str, list[Subscription]]) -> None:
        self._found = found

    def __len__(self) -> int:
        """The most that one topic has."""
        return max((len(subscriptions) for subscriptions in self._found.values()), default=0)

    def topics(self) -> list[str]:
        return sorted(self._found)

    def waiting(self, topic: str, number: int, priority: str | None) -> Iterator[Subscription]:
        """Those that have still to get a message."""
        for subscription in self._found.get(topic, ()):
            if subscription.waits_for(number, priority):
                yield subscription


def read_subscriptions(session: Session, tables: Tables) -> Subscriptions:
    """The subscriptions of a store as they are in this session's transaction."""
    names = ("CONTAINER", "CLIENT_ID", "SUB_NAME", "SELECTOR", "LAST_ACKED_ID", "PRIORITY")
    columns = [column for name in names if (column := find(tables.acks, name))]
    forms = forms_of(tables.dialect, columns)
    listed = ", ".join(form.expression for form in forms)
    statement = Sql(f"SELECT {listed} FROM {tables.dialect.table(tables.acks)}")
    cells = cells_of(tables.dialect, columns, session.fetch(statement, forms))
    rows = zip(*(texts(column).to_pylist() for column in cells), strict=True)
    found: dict[tuple[str, str, str], Subscription] = {}
    for topic, client, name, selector, last, *priority in rows:
        new = Subscription(client, name, selector)
        one = found.setdefault((topic, client, name), new)
        one.acknowledged[priority[0] if priority else None] = None if last is None else int(last)
    by_topic: dict[str, list[Subscription]] = defaultdict(list)
    for key in sorted(found):
        by_topic[key[0]].append(found[key])
    return Subscriptions(dict(by_topic))
