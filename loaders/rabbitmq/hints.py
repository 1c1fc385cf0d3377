"""What an operator does about the end of a connection or a channel."""

from collections.abc import Mapping

from loaders.rabbitmq.lost import ChannelClosed, LinkLost

LEADERLESS = (
    "wait until the node has all its queues, and run the same command again; if some stay down, "
    "docs/reference/buses.md says what brings streams back"
)


def hint_for(lost: LinkLost, by_code: Mapping[int, str], otherwise: str) -> str:
    """A remedy: for a queue without a leader, by the code a channel was closed with, or neither."""
    if not isinstance(lost, ChannelClosed):
        return otherwise
    return LEADERLESS if lost.leaderless else by_code.get(lost.code, otherwise)
