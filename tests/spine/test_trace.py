"""What became of one message, by whichever of its names it is asked for."""

import json
import sqlite3

import pytest

from migrate.core.redact import Pseudonyms
from tests.spine.estate import Rehearsed, isb_migrate


@pytest.fixture
def delivered(pristine: Rehearsed) -> tuple[str, str]:
    """Legacy id and message id of something on the bus."""
    bus = sqlite3.connect(pristine.run / "bus.db")
    query = "SELECT headers, message_id FROM delivery WHERE destination = 'nfd' LIMIT 1"
    headers, message_id = bus.execute(query).fetchone()
    bus.close()
    return json.loads(headers)["ce_legacyid"], message_id


@pytest.mark.parametrize("name", ["legacy_id", "message_id"])
@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "as in a report"])
def test_a_message_is_found_by_any_of_its_names(
    pristine: Rehearsed, delivered: tuple[str, str], name: str, hashed: bool
) -> None:
    """Its fate, its messages and its receipts come with it, and no payload."""
    identifier = dict(zip(("legacy_id", "message_id"), delivered, strict=True))[name]
    if hashed:
        identifier = Pseudonyms("met.isb").of(name, identifier)
    code, out = isb_migrate("trace", pristine.run, identifier, "--json")
    story = json.loads(out)
    assert code == 0
    assert story["verdict"]["legacy_id"] == delivered[0]
    assert delivered[1] in {message["message_id"] for message in story["messages"]}
    assert {receipt["outcome"] for receipt in story["receipts"]} == {"confirmed"}
    assert "body" not in out


def test_an_unknown_name_is_a_usage_error(pristine: Rehearsed) -> None:
    """Not an empty answer."""
    assert isb_migrate("trace", pristine.run, "nobody")[0] == 2
