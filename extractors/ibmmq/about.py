"""What the IBM MQ dump reader says of itself."""

from migrate.core.ports import About

ABOUT = About(
    what="Dumps of IBM MQ queues: `dmpmqmsg` (qload) files and `amqsbcg` output.",
    url="the dump file, or a folder of them",
    from_="a queue's name, a glob of files, or `*`",
    identity="the MsgId in hexadecimal digits; with file and number where it repeats",
    sees=(
        (
            "message descriptors of version 1 and 2, bodies in hexadecimal and text form, "
            "character sets by CCSID, dead-letter headers, RFH2 folders as typed headers"
        ),
        "messages that cannot be decoded: kept whole, quarantined",
        "bodies in a form that loses bytes (`-dt`): refused by `check` unless the plan allows it",
    ),
    cannot_see=(
        "message properties that were not dumped as RFH2",
        "when a message expires, unless the dump's first line or `dumped_at` says when it was made",
        "that a `dmpmqmsg` file was cut off exactly behind a line: compare with the queue's depth",
    ),
    tested="Built from the product's source and manual, and published output of `amqsbcg`.",
    options=(
        ("allow_lossy", '`"true"`: take bodies whose exact bytes the dump did not keep'),
        ("dumped_at", "when the dump was made, for expiries that count from then"),
        ("max_message_bytes", "largest message, in bytes of the file; 256 MiB"),
    ),
)
