"""There is one writer: two runs that load to one exchange at a time are told apart by a lock.

It is an exclusive queue. The broker lets go of it when it has done with the connection that holds
it, so whoever has it knows that a killed writer's last bytes are dealt with.
"""

import time

from loaders.rabbitmq import wire
from loaders.rabbitmq.address import Address
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import ChannelClosed, LinkLost

_LOCKED = 405
_EXCLUSIVE, _AUTO_DELETE = 4, 8
_AGAIN_S = 0.1


def lock_name(address: Address) -> str:
    """The name of the lock's queue."""
    return f"{address.exchange}.writer"


def lock(link: Link, address: Address) -> None:
    """Take the lock for as long as the connection lasts. Raises LinkLost where another has it and
    does not let go in time."""
    until = time.monotonic() + address.timeout_s
    while not _taken(link, address):
        if time.monotonic() > until:
            raise LinkLost(
                f'has another writer on the exchange "{address.exchange}", or has not noticed '
                "that it is gone"
            )
        link.wait(0, lambda: False, _AGAIN_S)


def _taken(link: Link, address: Address) -> bool:
    channel = link.open_channel()
    bits = wire.octet(_EXCLUSIVE | _AUTO_DELETE)
    name = wire.shortstr(lock_name(address))
    try:
        arguments = (wire.short(0), name, bits, wire.table({}))
        link.ask(channel, wire.QUEUE_DECLARE, wire.QUEUE_DECLARE_OK, *arguments)
    except ChannelClosed as closed:
        if closed.code == _LOCKED:
            return False
        raise
    return True
