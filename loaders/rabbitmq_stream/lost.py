"""How a connection to a stream listener ends, what its server refuses, and the remedy of each."""

from loaders.rabbitmq_stream import frames

LEADERLESS = (
    "look at the node's log and its streams (rabbitmqctl list_queues name state), then run the "
    "same command again; docs/reference/buses.md says what brings back streams that stay down"
)
_LOGIN = "look at user and password in the url of the bus"
_RIGHTS = "the account needs the rights to configure, write and read streams of the bus's prefix"
_HINTS = {
    frames.UNAVAILABLE: LEADERLESS,
    7: "the server must let accounts log in by user and password (PLAIN)",
    8: _LOGIN,
    9: _LOGIN,
    11: "make an account of its own: guest may only come from the server's own machine",
    12: "look at the virtual host at the end of the url: is it there, and has the account any "
    "rights in it?",
    16: _RIGHTS,
}


class Lost(Exception):
    """The connection is gone, or the server keeps silent; the words hold nothing secret."""

    hint: str | None = None
    """What an operator does about it, where more is known than that."""


class Untrusted(Lost):
    """The server's certificate is not one of whom it should be."""

    hint = "options.ca_file names who vouches for it; the url must name the host as it does"


class Strange(Lost):
    """What listens there does not speak the stream protocol, or speaks it with TLS, or without."""

    hint = (
        "look at scheme and port: rabbitmq-stream:// goes to 5552, rabbitmq-stream+tls:// to 5551 "
        "unless the server is set otherwise; its plugin rabbitmq_stream must be enabled"
    )


class Leaderless(Lost):
    """A stream is there, but nobody leads it: its node is down, or just coming back."""

    hint = LEADERLESS


class Blocked(Lost):
    """The server lets nobody begin to publish: its disk is short (alarms of memory it ignores)."""

    hint = "free space on the disks of its nodes, or lower disk_free_limit; then run again"


class Refused(Exception):
    """The server says no; `code` is its own."""

    def __init__(self, code: int) -> None:
        super().__init__(frames.CODES.get(code, f"code {code}"))
        self.code = code

    @property
    def hint(self) -> str | None:
        """What an operator does about it, where that is known."""
        return _HINTS.get(self.code)
