"""The official CloudEvents SDK reads every message of a rehearsal, on every bus."""

import json
from collections import Counter
from typing import Any

import pytest

from migrate.formats.bindings import sql
from tests.formats.envelopes import BINDINGS, MODES
from tests.formats.official import assert_read
from tests.spine.estate import Rehearsed


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("binding", BINDINGS)
def test_every_message_of_the_sample_estate_is_read(
    pristine: Rehearsed, binding: str, mode: Any
) -> None:
    """All flows, the archive with its legacy bytes, and every lane among them.

    What was mapped reaches the SDK as JSON, in structured mode too: nobody need
    decode base 64 to get at it.
    """
    flows, kinds = set(), Counter[str]()
    with pristine.bus() as bus:
        for text, body in bus.execute("SELECT headers, body FROM delivery"):
            envelope = json.loads(text)
            kind = assert_read(binding, mode, envelope, body)
            flows.add(envelope["ce_flow"])
            kinds["mapped" if "ce_dataschema" in envelope else "archived"] += 1
            assert kind == "dict" or "ce_dataschema" not in envelope
    assert flows == {"custody", "footwear", "gazetteer", "mobile", "pnc"}
    assert min(kinds.values()) > 100


def test_the_binding_of_tables_is_what_the_embedded_bus_holds(pristine: Rehearsed) -> None:
    """Text for text: the loader writes it faster, not otherwise."""
    with pristine.bus() as bus:
        for text, body in bus.execute("SELECT headers, body FROM delivery"):
            event = sql.decode(sql.Message(text, body))
            assert (event.body, event.others) == (body, ())
            assert sql.encode(event.envelope, event.body).headers == text
