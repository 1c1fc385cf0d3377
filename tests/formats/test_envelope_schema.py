"""What is said of the envelope is what the envelope is."""

from datetime import UTC, datetime

import pytest

from migrate.core.flow import Envelope
from migrate.formats.envelope import Particulars, attributes, bus_headers, constants
from migrate.formats.envelope_schema import (
    AMQP_NAMES,
    ATTRIBUTES,
    KAFKA_NAMES,
    NATS_NAMES,
    TABLE_NAMES,
    Naming,
    envelope_schema,
)

ENVELOPE = Envelope("met.isb", "rehearsal", "OFFICIAL", datetime(2026, 1, 1, tzinfo=UTC))
LEAST = Particulars("id", "legacy", 7)
MOST = Particulars("id", "legacy", 7, "s", "t", "k", "c", "e", "application/json", True)


def headers(message: Particulars, schema: str | None) -> set[str]:
    """The names on the embedded bus."""
    shared = constants(ENVELOPE, "custody", "custody-record/2", schema)
    return set(bus_headers(attributes(shared, message), "bulk", "run"))


def test_every_header_of_a_message_is_described_and_no_other() -> None:
    """Those of a message that has everything."""
    assert set(envelope_schema(TABLE_NAMES)["properties"]) == headers(MOST, "urn:x")


def test_headers_that_are_called_required_are_those_that_no_message_lacks() -> None:
    """Those of a message that has nothing to say."""
    assert set(envelope_schema(TABLE_NAMES)["required"]) == headers(LEAST, None)


@pytest.mark.parametrize(
    ("naming", "id_", "content_type"),
    [
        (TABLE_NAMES, "ce_id", "content-type"),
        (KAFKA_NAMES, "ce_id", "content-type"),
        (NATS_NAMES, "ce-id", "ce-datacontenttype"),
        (AMQP_NAMES, "cloudEvents_id", None),
    ],
)
def test_a_bus_has_names_of_its_own(naming: Naming, id_: str, content_type: str | None) -> None:
    """As the CloudEvents protocol bindings have them; AMQP's content type is no header."""
    names = list(envelope_schema(naming)["properties"])
    assert id_ in names
    assert naming.header("datacontenttype") == content_type
    assert len(names) == len(ATTRIBUTES) - (content_type is None)
