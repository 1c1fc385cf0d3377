"""How a connection or a channel of RabbitMQ ends."""

NOT_FOUND = 404
PRECONDITION_FAILED = 406
_LEADERLESS = {NOT_FOUND: "down or inaccessible", PRECONDITION_FAILED: "replica on the local node"}


class LinkLost(Exception):
    """The connection is gone, or was never there; the text continues "the bus …"."""


class ChannelClosed(LinkLost):
    """The broker closed a channel. `code`: AMQP 0-9-1, 1.2; `detail`: the broker's words, which
    may hold values and are never shown."""

    def __init__(self, words: str, code: int, detail: str) -> None:
        super().__init__(words)
        self.code = code
        self.detail = detail

    @property
    def leaderless(self) -> bool:
        """Whether a queue is there and nobody leads or holds it: its node is down, or just coming
        back.

        The broker says so with the codes of what does not exist and of what differs; its words
        alone tell. Source: rabbit_amqqueue.erl, rabbit_stream_queue.erl (3.8 to 4.x).
        """
        return self.code in _LEADERLESS and _LEADERLESS[self.code] in self.detail
