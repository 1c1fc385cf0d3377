"""However files lie about, each is claimed once by what is proposed, and cut as it is written."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.files import FilesStore
from extractors.files.recognise.draft import draft_folder
from extractors.files.recognise.sniff import form_of
from migrate.core.flow import RecordSpec
from migrate.core.proposal import Place, StoreDraft

CONTENTS = {
    "header.csv": b"Ref,Taken,Size\n1,2018-01-01,7\n2,2018-01-02,8\n",
    "plain.csv": b"100040239485,8787730,I\n100040239486,8787731,I\n",
    "types.csv": b'10,"GB",1\n21,"I",1,100040239485\n28,"I",2,7,8,9\n99,1,2,3\n',
    "semicolon.txt": b"ref;taken;size\n1;2018-01-01;7\n2;2018-01-02;8\n",
    "batch.xml": b'<batch><i a="1"/><i a="2"/></batch>',
    "doc.xml": b"<rec><no>1</no><name>x</name></rec>",
    "list.json": b'[{"a": 1}, {"a": 2}]',
    "doc.json": b'{"a": 1,\n "b": 2}\n',
    "lines.jsonl": b'{"a": 1}\n{"a": 2}\n',
    "fixed.dat": b"AAAA000000001\nBBBB000000002\nCCCC000000003\n",
    "words.txt": b"any text\nat all, really\n",
    "bytes.bin": bytes(range(256)),
    "empty.dat": b"",
    "zip.zip": b"PK\x03\x04 and so on",
}
FORMS = {
    "header.csv": RecordSpec("csv", charset="detect"),
    "plain.csv": RecordSpec(
        "csv", header=False, columns=("column_01", "column_02", "column_03"), charset="detect"
    ),
    "types.csv": RecordSpec("csv", header=False, charset="detect"),
    "semicolon.txt": RecordSpec("csv", delimiter=";", charset="detect"),
    "batch.xml": RecordSpec("xml", each="/batch/i"),
    "doc.xml": RecordSpec("xml"),
    "list.json": RecordSpec("json", each="/*"),
    "doc.json": RecordSpec("json"),
    "lines.jsonl": RecordSpec("jsonl", charset="detect"),
    "fixed.dat": RecordSpec("fixed", charset="detect"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_the_form_of_a_file_is_told_by_its_head(name: str) -> None:
    """What is no known form is a record of its own."""
    form = form_of(name, CONTENTS[name], whole=True)
    assert form.record == FORMS.get(name, RecordSpec("file"))


@given(
    st.binary(max_size=300), st.sampled_from(["", ".csv", ".xml", ".jsonl", ".txt"]), st.booleans()
)
def test_any_head_has_a_form(head: bytes, suffix: str, whole: bool) -> None:
    """Nothing in a spool stops a proposal."""
    assert form_of(f"a{suffix}", head, whole=whole).what


@given(st.text(',;\t|"\n\r <>{}[]ab1', max_size=80), st.sampled_from([".csv", ".dat"]))
def test_any_punctuation_has_a_form(text: str, suffix: str) -> None:
    """Quotes left open, delimiters of all sorts."""
    assert form_of(f"a{suffix}", text.encode(), whole=True).what


def drafted(root: Path) -> StoreDraft:
    (draft,) = draft_folder(Place(str(root), root))
    return draft


NAMES = st.sampled_from(["a", "b", "A", "x y", "q[1]", "w*", "README", ".hidden", "a.log"])
FILES = st.dictionaries(
    st.tuples(
        st.lists(st.sampled_from(["in", "out", "2018", "d[x]"]), max_size=2).map("/".join),
        NAMES,
        st.sampled_from(["", ".csv", ".xml", ".XML", ".json", ".txt", ".dat"]),
    ),
    st.sampled_from(sorted(CONTENTS)),
    min_size=1,
    max_size=9,
)


@settings(max_examples=60)
@given(FILES)
def test_every_record_of_a_folder_is_claimed_exactly_once(
    files: dict[tuple[str, str, str], str],
) -> None:
    """By one flow, or out of scope; and no flow is of nothing."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for number, ((folder, stem, suffix), content) in enumerate(files.items()):
            path = root / folder / f"{stem}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(CONTENTS[content] + b"\n" * number)
        draft = drafted(root)
        store = FilesStore(draft.spec)
        sources = [flow.source for flow in draft.flows]
        assert sources and [problem for one in sources for problem in store.check(one)] == []
        claims = store.claims(sources)
        assert [claim for claim in claims if claim.claims != 1 and claim.records] == []
        assert len({flow.source.flow for flow in draft.flows}) == len(draft.flows)


def test_links_and_infrastructure_are_left_out_with_a_reason(tmp_path: Path) -> None:
    """A link is never followed, and never silently passed over."""
    (tmp_path / "a.csv").write_bytes(CONTENTS["header.csv"])
    (tmp_path / "transfer.log").write_text("x")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    reasons = dict(drafted(tmp_path).spec.out_of_scope)
    assert set(reasons) == {"transfer.log", "link", "folder"}
    assert all(why.startswith("TO BE COMPLETED") for why in reasons.values())


def test_record_types_are_a_flow_each_and_the_frame_is_left_out(tmp_path: Path) -> None:
    """As in the gazetteer's exchange format: header and trailer are about the file."""
    (tmp_path / "a.csv").write_bytes(CONTENTS["types.csv"])
    draft = drafted(tmp_path)
    assert {
        flow.source.record.record_type: len(flow.source.record.columns) for flow in draft.flows
    } == {
        "21": 4,
        "28": 6,
    }
    assert set(dict(draft.spec.out_of_scope)) == {"*.csv#10", "*.csv#99"}


def test_many_folders_of_one_form_are_one_flow(tmp_path: Path) -> None:
    """A folder a day is no flow a day."""
    for day in range(40):
        (tmp_path / f"{day:02d}").mkdir()
        (tmp_path / f"{day:02d}" / "a.xml").write_bytes(CONTENTS["doc.xml"] + b" " * day)
    (flow,) = drafted(tmp_path).flows
    assert flow.source.from_ == "**/*.xml"


def test_identical_files_are_taken_and_asked_about(tmp_path: Path) -> None:
    """Nothing is dropped for looking like a copy; somebody has to say."""
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(CONTENTS["header.csv"])
    draft = drafted(tmp_path)
    assert dict(draft.spec.options) == {"allow_identical": "true"}
    assert draft.notes[0].startswith("DECIDE")


def test_a_batch_of_one_is_cut_like_the_others(tmp_path: Path) -> None:
    """One impression in a file does not make the file a document."""
    (tmp_path / "a.xml").write_bytes(CONTENTS["batch.xml"])
    for number in range(3):
        single = b'<batch><i a="1"/></batch>' + b" " * number
        (tmp_path / f"{number}.xml").write_bytes(single)
    (flow,) = drafted(tmp_path).flows
    assert flow.source.record == RecordSpec("xml", each="/batch/i")
    shutil.rmtree(tmp_path)
