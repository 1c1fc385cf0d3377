"""What goes out is what was put in, however little the socket takes at a time."""

import socket
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from loaders.rabbitmq.outgoing import Outgoing

PARTS = st.lists(st.binary(max_size=40) | st.integers(0, 70_000).map(bytes), max_size=20)


@given(st.lists(PARTS, max_size=5), st.booleans())
def test_bytes_come_in_the_order_they_were_put_in(writes: list[list[bytes]], large: bool) -> None:
    """Through a socket of a small buffer, read when it is full."""
    here, there = socket.socketpair()
    with closing(here), closing(there):
        here.setblocking(False)
        if not large:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        out, came, given = Outgoing(here), bytearray(), 0
        for parts in writes:
            out.add(*(memoryview(part) if len(part) % 2 else part for part in parts))
            given += sum(map(len, parts))
            out.send()
            assert out.size <= given
        there.setblocking(False)
        while len(came) < given:
            came += _read(there)
            out.send()
            assert out.size + len(came) <= given
        assert bytes(came) == b"".join(part for parts in writes for part in parts)
        assert out.size == 0
        assert not out.send()


def _read(there: socket.socket) -> bytes:
    try:
        return there.recv(1 << 16)
    except BlockingIOError:
        return b""
