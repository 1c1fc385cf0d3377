"""Which files a store holds, whose they are, and what is refused."""

import fnmatch
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.files.globs import expression, fixed_folder, matches
from migrate.core.errors import LegacyUnreadable, PlanError
from migrate.core.flow import RecordSpec
from migrate.core.ports import Claim
from tests.extractors.files_helpers import make_spool, source, store

TYPED = RecordSpec("csv", header=False, columns=("type",))


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.xml", ["a.xml", ".xml"], ["a/b.xml", "a.XML", "axml"]),
        ("a/*.xml", ["a/b.xml"], ["a/b/c.xml", "b/a/c.xml"]),
        ("**/*.xml", ["a.xml", "a/b/c.xml"], ["a/b.xml/c"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b/a"]),
        ("**", ["a", "a/b/c"], []),
        ("a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb"]),
        ("?[a-c][!x].(b)+", ["1az.(b)+"], ["1dz.(b)+", "1ax.(b)+", "1a/.(b)+"]),
        ("[", ["["], ["a"]),
        ("a[]b]", ["a]", "ab"], ["a[]b]"]),
    ],
)
def test_globs_name_files(glob: str, yes: list[str], no: list[str]) -> None:
    assert [path for path in [*yes, *no] if matches(glob, path)] == yes


@given(st.text(st.sampled_from("ab*?."), min_size=1, max_size=6), st.text("ab.", max_size=6))
def test_within_a_folder_globs_mean_what_they_do_in_a_shell(glob: str, name: str) -> None:
    """For names without a slash they are fnmatch's."""
    if glob not in (".", "..", "**"):
        assert matches(glob, name) == fnmatch.fnmatchcase(name, glob)


@pytest.mark.parametrize("glob", ["", "/a", "a//b", "../a", "a/../b", "./a", "a/", "a\\b"])
def test_a_glob_stays_below_the_root(glob: str) -> None:
    with pytest.raises(ValueError):
        expression(glob)


def test_the_fixed_folder_of_a_glob() -> None:
    """Up to the first step with a wildcard."""
    assert [fixed_folder(g) for g in ("a/b/*.x", "a/*/c/d", "**/x", "x")] == ["a/b", "a", "", ""]


def test_files_are_listed_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    """As LC_ALL=C sort has them, hidden ones too, whatever the folder's own order."""
    names = ["b", "a/z", "a.x", "B", ".hidden/x", "é", "a b", "a"]
    spool = make_spool(tmp_path, {name: b"x" for name in names if name != "a"})
    found = [container.name for container in store(spool).inventory()]
    assert found == sorted(set(names) - {"a"}, key=str.encode)


@pytest.mark.parametrize("kind", ["file link", "folder link", "dangling link", "pipe"])
def test_links_and_pipes_are_refused_until_declared(tmp_path: Path, kind: str) -> None:
    """Wherever below the root they are, whatever the flow's glob; the error names them."""
    outside = make_spool(tmp_path / "outside", {"f": b"secret"})
    spool = make_spool(tmp_path / "spool", {"in/a.xml": b"<a/>"})
    odd = spool / "in" / "odd"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        target = {"file link": outside / "f", "folder link": outside}.get(kind, outside / "none")
        odd.symlink_to(target)
    refused = store(spool)
    for action in (
        refused.inventory,
        lambda: refused.check(source("in/*.xml")),
        lambda: refused.claims([]),
        lambda: refused.population(source("in/*.xml")),
        lambda: list(refused.read(source("in/*.xml"))),
        lambda: refused.table("in/odd"),
    ):
        with pytest.raises(LegacyUnreadable, match="in/odd"):
            action()
    declared = store(spool, out_of_scope=(("in/odd", "not ours"),))
    assert declared.check(source("in/*.xml")) == []
    assert [claim.container for claim in declared.claims([])] == ["in/a.xml"]


def test_a_reference_table_outside_the_root_is_refused(tmp_path: Path) -> None:
    make_spool(tmp_path, {"codes.csv": b"a\n1\n"})
    spool = make_spool(tmp_path / "spool", {})
    with pytest.raises(LegacyUnreadable):
        store(spool).table("../codes.csv")


def test_the_root_must_be_a_folder(tmp_path: Path) -> None:
    for root in (tmp_path / "none", make_spool(tmp_path, {"file": b""}) / "file"):
        with pytest.raises(LegacyUnreadable, match="no folder"):
            store(root).inventory()


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    """It is what the plan names."""
    make_spool(tmp_path / "real", {"a": b"x"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [container.name for container in store(tmp_path / "link").inventory()] == ["a"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).write_bytes(b"")
    with pytest.raises(LegacyUnreadable, match=r"caf\\xe9"):
        store(tmp_path).inventory()


def test_every_file_is_claimed_once_or_shown(tmp_path: Path) -> None:
    """By a flow, by out_of_scope, by nobody, or by two."""
    files = {"a/1.csv": b"h\n1\n2\n", "b.jsonl": b"{}\n{}", "c.log": b"x\ny\n", "d.bin": b"\0"}
    spool = make_spool(tmp_path, files)
    found = store(spool, out_of_scope=(("*.log", "a log"),))
    flows = [source("a/*", RecordSpec("csv")), source("**/*.csv", RecordSpec("csv"))]
    assert list(found.claims(flows)) == [
        Claim("a/1.csv", 2, 2, ("flow", "flow")),
        Claim("b.jsonl", 0, 2),
        Claim("c.log", 1, 1),
        Claim("d.bin", 0, 1),
    ]


def test_what_is_out_of_scope_is_read_by_no_flow(tmp_path: Path) -> None:
    """However wide the flow's glob is."""
    spool = make_spool(tmp_path, {"1.txt": b"a", "2.txt": b"b"})
    found = store(spool, out_of_scope=(("2.*", "a copy"),))
    every = source("*", RecordSpec("text"))
    assert [claim.claims for claim in found.claims([every])] == [1, 1]
    assert found.population(every).rows == 1


def test_record_types_are_claimed_one_by_one(tmp_path: Path) -> None:
    """Each by the flows that take it, or by out_of_scope; a value never becomes a name."""
    spool = make_spool(tmp_path, {"g.csv": b'10,h\n21,a\n"21",b\n28,c\nSmithson,x\n99,t\n'})
    flows = [
        source("*.csv", RecordSpec("csv", header=False, record_type="21"), flow="blpu"),
        source("*.csv", RecordSpec("csv", header=False, record_type="28"), flow="dpa"),
        source("*.csv", RecordSpec("csv", header=False, record_type="28"), flow="again"),
    ]
    found = store(spool, out_of_scope=(("*.csv#10", "header"), ("*.csv#99", "trailer")))
    assert list(found.claims(flows)) == [
        Claim("g.csv#10", 1, 1),
        Claim("g.csv#21", 1, 2, ("blpu",)),
        Claim("g.csv#28", 2, 1, ("dpa", "again")),
        Claim("g.csv#99", 1, 1),
        Claim("g.csv#other", 0, 1),
    ]
    assert found.population(flows[0]).rows == 2
    assert found.population(source("*.csv", TYPED)).rows == 4


def test_fixed_records_are_typed_by_their_first_characters(tmp_path: Path) -> None:
    """Claims count exactly what each flow takes, even where one type begins another."""
    spool = make_spool(tmp_path, {"f.dat": b"H001\nA1x\nA1y\nA2z\nT9\n"})
    flows = [
        source("*", RecordSpec("fixed", record_type="A1"), flow="one"),
        source("*", RecordSpec("fixed", record_type="A"), flow="all"),
    ]
    found = store(spool, out_of_scope=(("f.dat#H0", "header"),))
    assert list(found.claims(flows)) == [
        Claim("f.dat#A", 1, 1, ("all",)),
        Claim("f.dat#A1", 2, 2, ("one", "all")),
        Claim("f.dat#H0", 1, 1),
        Claim("f.dat#T9", 0, 1),
    ]
    assert [found.population(flow).rows for flow in flows] == [2, 3]


def test_a_bad_glob_in_out_of_scope_is_the_plans_fault(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"store\.spool\.out_of_scope"):
        store(tmp_path, out_of_scope=(("/etc/*", "why"),))


@pytest.mark.parametrize(
    ("about", "change"),
    [
        ("from", {"glob": "/etc/*"}),
        ("from", {"glob": "none/*.csv"}),
        ("where", {"where": "1 = 1"}),
        ("key", {"key": ("id",)}),
        ("columns", {"columns": (("status", "state"),)}),
        ("delivered", {"delivered": "SELECT 1"}),
        ("record.each", {"spec": RecordSpec("xml", each="item")}),
        ("record.each", {"spec": RecordSpec("json", each="items/*")}),
        ("record.each", {"spec": RecordSpec("csv", each="/a")}),
        ("record.record_type", {"spec": RecordSpec("xml", record_type="21")}),
        ("record.delimiter", {"spec": RecordSpec("csv", delimiter="||")}),
        ("record.delimiter", {"spec": RecordSpec("csv", delimiter="¦")}),
        ("record.quote", {"spec": RecordSpec("csv", quote=",")}),
        ("record.columns", {"spec": RecordSpec("csv", columns=("a",))}),
        ("charset", {"spec": RecordSpec("csv", charset="no-such")}),
        ("charset", {"spec": RecordSpec("text", charset="cp037")}),
    ],
)
def test_check_names_what_is_wrong(tmp_path: Path, about: str, change: dict[str, object]) -> None:
    """By its key in the plan."""
    spool = make_spool(tmp_path, {"a.csv": b"x"})
    settings = {"glob": "*.csv", **change}
    found = store(spool).check(source(**settings))  # type: ignore[arg-type]
    assert len(found) == 1
    assert found[0].startswith(about)


def test_what_check_finds_wrong_is_not_read(tmp_path: Path) -> None:
    """Read, population and claims name the flow."""
    bad = source("*", RecordSpec("csv", delimiter="||"))
    found = store(tmp_path)
    for action in (
        lambda: found.read(bad),
        lambda: found.population(bad),
        lambda: found.claims([bad]),
    ):
        with pytest.raises(LegacyUnreadable, match='flow "flow"'):
            action()


def test_an_ebcdic_file_can_be_read_whole(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, {"a": "x".encode("cp037")})
    assert store(spool).check(source("*", RecordSpec("file", charset="cp037"))) == []


def test_identical_files_stop_check_until_declared(tmp_path: Path) -> None:
    """One of them out of scope, or each taken as its own on purpose."""
    spool = make_spool(tmp_path, {"1.csv": b"a\n1\n", "2.csv": b"a\n1\n", "3.csv": b"a\n2\n"})
    every = source("*.csv", RecordSpec("csv"))
    (problem,) = store(spool).check(every)
    assert "1.csv, 2.csv" in problem
    assert "3.csv" not in problem
    assert store(spool, out_of_scope=(("2.csv", "sent twice"),)).check(every) == []
    allowed = store(spool, options=(("allow_identical", "true"),))
    assert allowed.check(every) == []
    assert allowed.population(every).rows == 3
