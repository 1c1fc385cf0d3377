"""Reading a stream from one sequence to another, leaving no trace.

A consumer without a name, without acknowledgements, in memory, that is removed when reading ends
and forgotten by the server should we die.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from loaders.jetstream.api import NO_CONSUMER, Api, ApiError, Stream
from loaders.jetstream.wire import Connection, Delivered, WireError

_BATCH = 1_000
_BYTES = 16 * 1024 * 1024
_FORGOTTEN_S = 300
_NS = 1_000_000_000
_TOO_BIG = b"Message Size Exceeds MaxBytes"


class Stored(NamedTuple):
    """One message of a stream. `headers`: as they were written, first line included; may be
    empty."""

    sequence: int
    subject: str
    headers: bytes
    body: bytes


def stored(connection: Connection, api: Api, stream: Stream, after: int) -> Iterator[list[Stored]]:
    """Everything behind a sequence up to the end as `stream` shows it, some at a time.

    Raises WireError and ApiError.
    """
    if stream.last <= after or not stream.state.get("messages"):
        return
    consumer = _consumer(api, stream.name, after + 1)
    try:
        yield from _to_the_end(connection, api, stream, consumer, after)
    finally:
        _remove(api, stream.name, consumer)


def _to_the_end(
    connection: Connection, api: Api, stream: Stream, consumer: str, after: int
) -> Iterator[list[Stored]]:
    pull = api.subject(f"CONSUMER.MSG.NEXT.{stream.name}.{consumer}")
    reached = after
    while reached < stream.last:
        found, status = _pulled(connection, pull, _BATCH, _BYTES)
        if not found and _TOO_BIG in status:
            found, status = _pulled(connection, pull, 1, None)
        if not found:
            _check_end(api, stream, reached, status)
            return
        reached = found[-1].sequence
        wanted = [one for one in found if one.sequence <= stream.last]
        if wanted:
            yield wanted


def _pulled(
    connection: Connection, pull: str, batch: int, most: int | None
) -> tuple[list[Stored], bytes]:
    """One request: what came of it, and how the server ended it where it did so early."""
    words = {"batch": batch, "no_wait": True} | ({"max_bytes": most} if most else {})
    asked = json.dumps(words).encode()
    head = f"PUB {pull} {connection.messages_to} {len(asked)}\r\n".encode()
    connection.send([head, asked, b"\r\n"])
    found: list[Stored] = []
    while len(found) < batch:
        for message in connection.wait():
            if not connection.for_us(message):
                continue
            if message.reply.startswith(b"$JS.ACK."):
                found.append(_stored(message))
            else:
                return found, message.headers
    return found, b""


def _stored(message: Delivered) -> Stored:
    """`$JS.ACK.stream.consumer.deliveries.SEQUENCE.…`, two more tokens in front since 2.10."""
    words = message.reply.split(b".")
    sequence = int(words[5] if len(words) == 9 else words[7])
    subject = message.subject.decode("utf-8", "replace")
    return Stored(sequence, subject, message.headers, message.body)


def _check_end(api: Api, stream: Stream, reached: int, status: bytes) -> None:
    """Nothing more is delivered; there must be nothing more up to the end we are after."""
    following = api.next_sequence(stream.name, reached + 1)
    if following is not None and following <= stream.last:
        words = status.split(b"\r\n")[0].decode("ascii", "replace").removeprefix("NATS/1.0")
        raise WireError(f"the stream {stream.name} could not be read to its end:{words}")


def _consumer(api: Api, stream: str, start: int) -> str:
    config = {
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": start,
        "ack_policy": "none",
        "replay_policy": "instant",
        "inactive_threshold": _FORGOTTEN_S * _NS,
        "mem_storage": True,
        "num_replicas": 1,
    }
    answer = api.ask(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})
    return str(answer["name"])


def _remove(api: Api, stream: str, consumer: str) -> None:
    try:
        api.ask(f"CONSUMER.DELETE.{stream}.{consumer}")
    except WireError:
        return  # the connection is gone; the server forgets the consumer by itself
    except ApiError as error:
        if error.code != NO_CONSUMER:
            raise
