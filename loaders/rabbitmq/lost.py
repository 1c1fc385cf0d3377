"""How a connection or a channel of RabbitMQ ends."""

NOT_FOUND = 404
_LEADERLESS = "down or inaccessible"


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
        """Whether a queue is there and nobody leads it: its node is down, or just coming back.

        The broker says so with the code of what does not exist; its words alone tell.
        """
        return self.code == NOT_FOUND and _LEADERLESS in self.detail
