"""What the Artemis export reader says of itself."""

from migrate.core.ports import About

ABOUT = About(
    what="XML exports of Apache ActiveMQ Artemis (`artemis data exp`), streamed.",
    url="the export file, or a folder of them",
    from_="a queue's name, or `*`",
    identity="`<message id>@<queue>`; with file and number where it repeats",
    sees=(
        (
            "every message in each queue it is routed to: text, bytes, map, object, stream, large "
            "bodies in several chunks, every property with its type"
        ),
        "priority, expiry, time, group, correlation, reply-to, duplicate id",
        "messages that cannot be decoded: kept whole, quarantined",
    ),
    cannot_see=(
        "what is inside Java objects, which are never deserialised",
        "delivery counts, addresses and whether a message was durable: the export leaves them out",
        "the journal itself: the broker has to be stopped and exported by its own tool",
    ),
    tested="Built from the product's source; no real sample could be had.",
    options=(("max_message_bytes", "largest message, in bytes of the file; 256 MiB"),),
)
