"""Buses: one folder a kind (connect, provision, publish, observe), one line here.

Values name the package; its `publish:Publisher`, `provision:Provisioner` and
`observe:Observer` are imported one by one, so that the witness never loads
the publisher.
"""

from typing import Any

from migrate.core.registry import resolve

BUSES = {
    "jetstream": "loaders.jetstream",
    "rabbitmq": "loaders.rabbitmq",
    "rabbitmq-stream": "loaders.rabbitmq_stream",
    "sql": "loaders.sql",
    "kafka": "loaders.kafka",
}

EXTRAS = {
    "psycopg": "postgresql",
    "pymysql": "mariadb",
    "confluent_kafka": "kafka",
}
"""A missing module of an adapter, and the extra that brings it."""


def bus_part(kind: str, part: str) -> Any:
    """The class behind `part` (such as `observe:Observer`) of a kind of bus.

    Raises UsageError for an unknown kind and MissingExtra when its client
    library is not installed.
    """
    parts = {name: f"{package}.{part}" for name, package in BUSES.items()}
    return resolve(parts, kind, what="bus", extras=EXTRAS)
