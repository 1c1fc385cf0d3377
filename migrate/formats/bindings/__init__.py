"""CloudEvents 1.0 protocol bindings: a message as each kind of bus carries it.

    amqp     properties and headers        `cloudEvents_id`     AMQP binding
    nats     headers                       `ce-id`              NATS binding
    kafka    headers, values in UTF-8      `ce_id`              Kafka binding
    sql      a JSON text beside the body   `ce_id`              our own, for the embedded bus

Every module has `encode(envelope, body, mode)` and `decode(message)`, pure and
exact inverses of each other for whatever Unicode an envelope's values hold. An
envelope is a mapping of `ce_<attribute>` and `content-type`, as
`migrate.formats.envelope` makes it.
"""
