"""What the store of a live RabbitMQ says of itself."""

from migrate.core.ports import About

QUEUE = About(
    what="Streams and classic queues of one virtual host of a live RabbitMQ, over AMQP 0-9-1, read "
    "only where that cannot lose a message; see [how to read a live "
    "broker](../howto/live-brokers.md).",
    url="`amqp://user:password@host:5672/vhost` or `amqps://…`",
    from_="the name of a queue",
    identity="of a stream `name@offset`; of a classic queue its name, a digest of the message and "
    "an occurrence number, since AMQP has no message id that must be there or be unique",
    sees=(
        "bodies as they are, every property, every header with its AMQP type",
        "streams from any offset, without taking anything",
        (
            "classic queues whole: every message is taken unacknowledged, given back, and counted "
            "again; the broker marks them as redelivered"
        ),
        "why a queue cannot be read without danger: such a queue is refused, with the reason",
    ),
    cannot_see=(
        "quorum queues: each reading counts towards a delivery limit, beyond which messages go",
        "classic queues with a length limit that drops messages, or with consumers",
        "when a message arrived or expires: AMQP tells neither",
        "decimals, tables and arrays in headers of streams, which RabbitMQ 3.10 does not store",
        "the width of integers in headers (8 to 64 bits: all are `integer`)",
        "messages that somebody else holds unacknowledged without being a consumer",
    ),
    tested="Live, with RabbitMQ 3.10.8 (Debian 12), over plain TCP. amqps was built from the "
    "library's manual; releases from 4.0 on were not at hand.",
    options=(
        (
            "management",
            (
                "`http://host:15672`, the management API, asked with the same account (which needs "
                "the tag `monitoring`): only it tells queues, their types, policies. Must be said"
            ),
        ),
        ("ca_file", "PEM file: whom to trust, for amqps and https"),
        ("timeout_s", "how long the broker may say nothing; 60"),
    ),
)
