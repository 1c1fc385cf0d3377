"""What is said when a connection opens and closes."""

import re
import socket
import ssl
from typing import Any

from loaders.rabbitmq import wire
from loaders.rabbitmq.address import Address
from loaders.rabbitmq.lost import ChannelClosed, LinkLost

TUNED_FRAME = 131_072
"""The largest frame we ask for, in bytes: RabbitMQ's own default."""

_CODES = {
    311: "a message is larger than it takes",
    320: "an operator closed the connection",
    402: "the virtual host does not exist or may not be used",
    403: "access was refused",
    404: "an exchange or queue does not exist",
    405: "a queue is locked by another connection",
    406: "a precondition failed",
    501: "a frame was malformed",
    504: "a channel was used that is not open",
    530: "the virtual host does not exist or may not be used",
    541: "it met an internal error",
}

_BUFFER = 4 * 1024 * 1024
_QUEUE = re.compile("queue '([^']+)'")


def connected(address: Address) -> socket.socket:
    """A socket to the broker, with TLS where the URL says so. Raises LinkLost."""
    try:
        plain = socket.create_connection((address.host, address.port), address.timeout_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        if not address.tls:
            return plain
        return address.context().wrap_socket(plain, server_hostname=address.host)
    except ssl.SSLCertVerificationError:
        raise LinkLost("shows a certificate that cannot be trusted") from None
    except OSError as error:
        raise LinkLost(f"cannot be reached ({type(error).__name__})") from None


def properties_of(purpose: str) -> dict[str, Any]:
    """What the broker is told of us."""
    wanted = ("publisher_confirms", "basic.nack", "connection.blocked", "consumer_cancel_notify")
    capabilities = dict.fromkeys((*wanted, "authentication_failure_close"), True)
    return {
        "product": "isb-migrate",
        "connection_name": f"isb-migrate ({purpose})",
        "capabilities": capabilities,
    }


def proper(code: int, text: str) -> bytes:
    """The arguments of a close that is nobody's fault."""
    return wire.short(code) + wire.shortstr(text) + wire.short(0) + wire.short(0)


def channel_closed(code: int, detail: str) -> ChannelClosed:
    """A channel's end; of the broker's words nothing is shown but the name of a queue."""
    closed = ChannelClosed(closed_for(code), code, detail)
    if not closed.leaderless:
        return closed
    named = _QUEUE.search(detail)
    name = f' "{named[1]}"' if named else ""
    words = f"has nobody who leads its queue{name}: a node is down, or came back without it"
    return ChannelClosed(words, code, detail)


def closed_for(code: int) -> str:
    """A close's reason in our own words: the broker's may hold values."""
    known = _CODES.get(code)
    return f"closed the channel or connection with code {code}" + (f": {known}" if known else "")
