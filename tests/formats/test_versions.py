"""Built-in versions of one type: what each changes about the one before is known and written."""

import json
from pathlib import Path

import pytest

from migrate.core.errors import PlanError, UsageError
from migrate.formats.catalogue import examples, refused_examples, schema_text, schema_types
from migrate.formats.compat.claim import COMPATIBLE
from migrate.formats.compat.load import backward, before, load
from migrate.transform.validate import SchemaCheck

KNOWN = json.loads((Path(__file__).parent / "cases/versions.json").read_text(encoding="utf-8"))
PAIRS = [(earlier, type_) for type_ in schema_types() if (earlier := before(type_))]


def test_every_pair_of_versions_is_known() -> None:
    """A new version comes with a line that says what it does to producers and receivers."""
    assert {" ".join(pair) for pair in PAIRS} == KNOWN.keys()


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=map(" ".join, PAIRS))
def test_a_version_changes_what_is_written_about_it(old: str, new: str) -> None:
    for direction, found in (("backward", backward(old, new)), ("forward", backward(new, old))):
        assert all(reason.shown for reason in found.reasons)
        reasons = [f"{reason.place} {reason.keyword}" for reason in found.reasons]
        assert [found.answer, *reasons] == KNOWN[f"{old} {new}"][direction]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=map(" ".join, PAIRS))
def test_the_examples_bear_it_out(old: str, new: str) -> None:
    """Valid examples stay valid where the answer is yes; refused ones of the receiver stay out."""
    for giver, taker in ((old, new), (new, old)):
        if backward(giver, taker).answer != COMPATIBLE:
            continue
        taking, giving = SchemaCheck(schema_text(taker)), SchemaCheck(schema_text(giver))
        assert all(taking.accepts(document) for document in examples(giver).values())
        assert not any(giving.accepts(each.document) for each in refused_examples(taker).values())


def test_the_first_version_has_none_before_it() -> None:
    assert before("address/1") is None


def test_a_name_that_is_neither_a_format_nor_a_file_is_an_error() -> None:
    with pytest.raises(PlanError, match=r"neither .* nor a file") as caught:
        load("custody-record/9")
    assert "formats list" in str(caught.value.hint)


def test_a_file_is_compared_like_a_format(tmp_path: Path) -> None:
    path = tmp_path / "address.json"
    path.write_text(schema_text("address/1"), encoding="utf-8")
    assert load(str(path)).root == load("address/1").root
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="no JSON"):
        load(str(path))
