"""Clients of a Kafka cluster, and what their errors are called.

Only names of error codes are ever told on: a client's own words may hold addresses and more.
"""

import logging
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from loaders.kafka.settings import Settings
from migrate.core.errors import BusRefused, CouldNotVerify

_QUIET = logging.getLogger("isb-migrate.kafka")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_QUIET.setLevel(logging.CRITICAL + 1)  # it says a hundred times a second that nobody is there

_ON_THE_WAY_KB = 32_768
"""What a reading client fetches ahead at most."""


def admin(settings: Settings) -> AdminClient:
    """A client that looks at topics and makes them."""
    return AdminClient(_common(settings), logger=_QUIET)


def consumer(settings: Settings) -> Consumer:
    """A reading client that joins no group, commits nothing, makes no topic by asking for it, and
    sees what is committed only."""
    return Consumer(
        {
            **_common(settings),
            "group.id": f"isb-migrate.{settings.prefix}",  # the client wants one; it is not used
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "allow.auto.create.topics": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": settings.max_message_bytes,
            "queued.max.messages.kbytes": _ON_THE_WAY_KB,
        },
        logger=_QUIET,
    )


def producer(settings: Settings, transactional_id: str | None) -> Producer:
    """A writing client: idempotent, acknowledged by all replicas in sync.

    Its batches hold one partition's records in the order in which they were given to it.
    """
    wait_ms = int(settings.patience_s * 1000)
    words: dict[str, Any] = {
        **_common(settings),
        "enable.idempotence": True,
        "acks": "all",
        "message.timeout.ms": wait_ms,
        "message.max.bytes": settings.max_message_bytes,
        "queue.buffering.max.messages": 200_000,
        "batch.num.messages": 1_000,  # above that a batch of no known offset seems to have one
        "linger.ms": 5,
        "client.id": "isb-migrate",
    }
    if transactional_id is not None:
        words["transactional.id"] = transactional_id
        words["transaction.timeout.ms"] = max(60_000, 2 * wait_ms)
    return Producer(words, logger=_QUIET)


def refused(settings: Settings, what: str, error: Exception | None = None) -> BusRefused:
    """That the bus does not do its part."""
    return BusRefused(
        f'the bus "{settings.name}" {what}{called(error)}',
        hint="look whether it runs, its topics are there and the account may use them; "
        "then run again",
    )


def unseen(settings: Settings, what: str, error: Exception | None = None) -> CouldNotVerify:
    """That the witness cannot see what it should."""
    return CouldNotVerify(
        f'the bus "{settings.name}" {what}{called(error)}',
        hint="look whether it runs, its topics are there and the account may read them",
    )


def called(error: Exception | None) -> str:
    """An error by the name of its code, in brackets."""
    if error is None:
        return ""
    return f" ({code_of(error)})"


def code_of(error: Any) -> str:
    """The name of an error's code, such as TOPIC_AUTHORIZATION_FAILED."""
    cause = getattr(error, "__cause__", None)
    error = cause if isinstance(cause, KafkaException) else error
    inner = error.args[0] if isinstance(error, KafkaException) else error
    return str(inner.name()) if isinstance(inner, KafkaError) else type(error).__name__


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.servers,
        **settings.connection,
        "socket.timeout.ms": int(min(settings.patience_s, 60) * 1000),
        "log.connection.close": False,
        "error_cb": _ignore,
        # TLS is checked by default; said here so that nothing else decides it.
        "enable.ssl.certificate.verification": True,
        "ssl.endpoint.identification.algorithm": "https",
    }


def _ignore(error: KafkaError) -> None:
    """What matters comes back from the calls themselves; the client goes on trying meanwhile."""
