"""Which messages of a KahaDB journal are live: adds without removes, as the broker recovers them.

Commands of a transaction count when it commits, in their order; without a commit or rollback
those of a prepared one are in doubt, and those of any other never happened. Of a topic a message
is live for each subscription that was there when it came (or is retroactive) and has not
acknowledged it. Source: `MessageDatabase.process` and `updateIndex`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from extractors.activemq.commands import (
    ADD,
    COMMIT,
    PREPARE,
    REMOVE,
    REMOVE_DESTINATION,
    ROLLBACK,
    SUBSCRIPTION,
    UPDATE,
    Command,
    command_of,
)
from extractors.activemq.journal import LogFile, commands, damaged

_TOPIC = "topic://"


class Place(NamedTuple):
    """Where a frame is: index of the file, offset, end."""

    file: int
    start: int
    end: int


@dataclass(slots=True)
class Live:
    """A live message; `waiting`: the subscriptions that have still to get it, None for queues."""

    order: int
    container: str
    message_id: str
    place: Place
    waiting: set[str] | None = None


@dataclass(slots=True)
class _Transaction:
    commands: list[tuple[Command, Place]] = field(default_factory=list)
    prepared: bool = False


class LiveSet:
    """What a journal leaves behind."""

    def __init__(self) -> None:
        self._messages: dict[str, dict[str, Live]] = defaultdict(dict)
        self._subscriptions: dict[str, set[str]] = defaultdict(set)
        self._open: dict[bytes, _Transaction] = {}
        self._order = 0

    def messages(self) -> Iterator[Live]:
        """Live messages in the order in which they became so; of topics, if somebody waits."""
        every = (one for found in self._messages.values() for one in found.values())
        yield from sorted(
            (one for one in every if one.waiting is None or one.waiting),
            key=lambda one: one.order,
        )

    def acknowledged(self) -> Counter[str]:
        """By topic: messages that nobody waits for and that were not removed."""
        every = (one for found in self._messages.values() for one in found.values())
        return Counter(
            one.container for one in every if one.waiting is not None and not one.waiting
        )

    def in_doubt(self) -> Counter[str]:
        """By container: messages added by prepared transactions."""
        return Counter(
            command.container or ""
            for transaction in self._open.values()
            if transaction.prepared
            for command, _ in transaction.commands
            if command.kind == ADD
        )

    def take(self, command: Command, place: Place) -> None:
        """The next command of the journal."""
        if command.kind in (PREPARE, COMMIT, ROLLBACK):
            self._end(command)
        elif command.transaction is not None:
            self._open.setdefault(command.transaction, _Transaction()).commands.append(
                (command, place)
            )
        else:
            self._apply(command, place)

    def _end(self, command: Command) -> None:
        if command.transaction is None:
            return
        if command.kind == PREPARE:
            self._open.setdefault(command.transaction, _Transaction()).prepared = True
            return
        ended = self._open.pop(command.transaction, None)
        if ended is not None and command.kind == COMMIT:
            for each, place in ended.commands:
                self._apply(each, place)

    def _apply(self, command: Command, place: Place) -> None:
        container = command.container or ""
        if command.kind == ADD:
            self._add(container, command.message_id or "", place)
        elif command.kind == UPDATE:
            self._update(container, command.message_id or "", place)
        elif command.kind == REMOVE:
            self._remove(container, command)
        elif command.kind == REMOVE_DESTINATION:
            self._messages.pop(container, None)
            self._subscriptions.pop(container, None)
        elif command.kind == SUBSCRIPTION:
            self._subscribe(container, command)

    def _add(self, container: str, message_id: str, place: Place) -> None:
        """A message that is there already is not added again."""
        if message_id in self._messages[container]:
            return
        waiting = None
        if container.startswith(_TOPIC):
            waiting = set(self._subscriptions[container])
        self._order += 1
        live = Live(self._order, container, message_id, place, waiting)
        self._messages[container][message_id] = live

    def _update(self, container: str, message_id: str, place: Place) -> None:
        known = self._messages[container].get(message_id)
        if known is None:
            self._add(container, message_id, place)
        else:
            known.place = place

    def _remove(self, container: str, command: Command) -> None:
        """A message that the last subscription has acknowledged is gone, as one of a queue."""
        found = self._messages[container]
        known = found.get(command.message_id or "")
        if known is None:
            return
        if command.subscription is not None and known.waiting is not None:
            known.waiting.discard(command.subscription)
            if known.waiting:
                return
        del found[known.message_id]

    def _subscribe(self, container: str, command: Command) -> None:
        """A subscription begins or ends; one that is written once more goes on."""
        key, found = command.subscription or "", self._messages[container]
        if not command.subscribes:
            self._subscriptions[container].discard(key)
            for live in list(found.values()):
                if live.waiting is not None and key in live.waiting:
                    self._remove(container, command._replace(message_id=live.message_id))
            return
        if command.retroactive and key not in self._subscriptions[container]:
            for live in found.values():
                if live.waiting is not None:
                    live.waiting.add(key)
        self._subscriptions[container].add(key)


def live_set(files: list[LogFile], *, drop_torn: bool = False) -> LiveSet:
    """Replay a journal; `drop_torn`: without a batch that its last file breaks off in.

    Raises LegacyUnreadable where it is damaged."""
    found = LiveSet()
    for index, file in enumerate(files):
        last = index == len(files) - 1
        for offset, data in commands(file, drop_torn=drop_torn and last):
            try:
                command = command_of(data)
            except (ValueError, IndexError):
                raise damaged(file, offset) from None
            if command is not None:
                place = Place(index, offset + command.start, offset + command.end)
                found.take(command, place)
    return found
