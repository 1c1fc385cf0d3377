"""What the ActiveMQ Classic stores say of themselves."""

from migrate.core.ports import About

JDBC = About(
    what="Apache ActiveMQ Classic with JDBC persistence (`ACTIVEMQ_MSGS`, `ACTIVEMQ_ACKS`); see "
    "[how to read one](../howto/activemq.md).",
    url="a SQLAlchemy URL of the broker's database",
    from_="`queue://NAME`, `topic://NAME`, a pattern such as `queue://NSPIS.*`, or `*`",
    identity="the JMS message id; of a topic with `@client:subscription`",
    sees=(
        (
            "text, bytes, map, stream, object and empty messages, compressed or not, with every "
            "property and its type; wire versions 6 to 12"
        ),
        "of durable topics each message that each subscription has not acknowledged",
        "dead letters with original destination and cause",
        "frames that do not decode to their last byte: kept whole, quarantined",
        "rows of open transactions: counted, never read",
    ),
    cannot_see=(
        "what is inside Java objects, which are never deserialised",
        "whether a subscription's selector would have let a message through",
        "scheduled messages, which the broker keeps in files of its own",
    ),
    tested="Live, with ActiveMQ 5.17.2 (Debian 12) on PostgreSQL: all that its own client sent, "
    "as sent and as that client reads it back, in wire versions 6, 11 and 12; the others were "
    "built from the product's source. On MariaDB and SQLite with stores of that make.",
    options=(
        ("table_prefix", "the broker's `tablePrefix`"),
        ("max_inflated_bytes", "largest body a compressed message may inflate to; 100 MiB"),
        ("decoders", "processes that decode; one a processor, 4 at most, for large stores"),
    ),
)

KAHADB = About(
    what="The journal of Apache ActiveMQ Classic's KahaDB (`db-*.log`), without the broker and "
    "its index; see [how to read one](../howto/activemq.md).",
    url="the folder of the `db-*.log` files; the broker stopped, or a copy",
    from_="`queue://NAME`, `topic://NAME`, a pattern such as `queue://NSPIS.*`, or `*`",
    identity="the JMS message id; of a topic with `@client:subscription`",
    sees=(
        "messages, bodies and headers as `activemq-jdbc` does",
        "what is live after removals, committed transactions and acknowledgements of subscriptions",
        "messages of prepared transactions: counted, never read",
        "wrong checksums, files that end within a batch, bytes that are no record: refused",
    ),
    cannot_see=(
        "what is inside Java objects, which are never deserialised",
        "whether a subscription's selector would have let a message through",
        "subscriptions whose beginning is in a file that the broker has deleted",
        "that a journal was cut off exactly between two batches",
        "scheduled messages, which the broker keeps in files of its own",
    ),
    tested="Live, with ActiveMQ 5.17.2 (Debian 12) killed: all that its own client sent, as sent "
    "and as that client reads it back, in wire versions 6, 11 and 12. By hand on the journals in "
    "the product's own test data (store versions 1 to 6). Updates were built from its source.",
    options=(
        ("torn_tail", "`drop`: leave out a batch that the last file ends within"),
        ("max_inflated_bytes", "largest body a compressed message may inflate to; 100 MiB"),
    ),
)

BROWSE = About(
    what="The queues of a live Apache ActiveMQ Classic, browsed over OpenWire without consuming; "
    "see [how to read a live broker](../howto/live-brokers.md).",
    url="`tcp://user:password@host:61616` or `ssl://…`: the OpenWire connector of one broker",
    from_="`queue://NAME`, a pattern such as `queue://NSPIS.*`, or `*`",
    identity="the JMS message id",
    sees=(
        "messages, bodies and headers as `activemq-jdbc` does: the broker sends what it stores",
        "messages that were never stored, and those that consumers hold and have not acknowledged",
        "with the broker's StatisticsPlugin whether a browse was whole; if not, it is refused",
    ),
    cannot_see=(
        "topics and durable subscriptions: stop the broker and read its store",
        "messages of open transactions, and scheduled ones",
        (
            "without the StatisticsPlugin: whether a browse ended before the queue did "
            "(`maxBrowsePageSize`, 400 by default, or memory)"
        ),
        "what is inside Java objects, which are never deserialised",
        "messages whose time is up: the broker expires them when it looks at them, browsed or not",
    ),
    tested="Live, with ActiveMQ 5.17.2 (Debian 12) and its own client, over tcp and ssl; "
    "negotiated down to OpenWire 6 by the broker, whose older releases were not at hand.",
    options=(
        (
            "statistics",
            (
                "`plugin`: the broker runs the StatisticsPlugin, and has to give as many as "
                "that counts; `none`: whether a browse was whole stays unknown. Say one"
            ),
        ),
        ("ca_file, cert_file, key_file", "PEM files: whom to trust, and who we are (ssl)"),
        ("timeout_s", "how long the broker may say nothing; 60"),
        ("max_inflated_bytes", "largest body a compressed message may inflate to; 100 MiB"),
    ),
)
