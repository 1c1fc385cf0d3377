"""The claim check round a bus: what stands on the bus, and what the witness makes of it."""

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.claims import open_claims
from loaders.claims.account import Account, take_account, verified
from loaders.claims.observe import Observer
from loaders.claims.reference import DIGEST, LENGTH, REF, read_reference, referring
from migrate.core import durable
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec, ClaimsSpec, OffRampSpec
from migrate.core.schema import OBSERVED
from migrate.plan.stores import open_bare_observer, open_observer
from migrate.run.bus import make_ready, open_publisher
from tests.windows import Sent, publish, window

OFFRAMPS = {name: OffRampSpec(name) for name in ("custody", "nfd", "archive")}
LIMIT = 2000
HEADS = {"content-type": "application/json", "ce_dataschema": "urn:x", "ce_id": 'naïve "quote"'}


def sent(body: bytes, to: str = "custody", number: int = 1) -> Sent:
    return Sent(to, f"{number:032x}", HEADS, body)


@dataclass(frozen=True)
class Claimed:
    """A SQL bus with claims in a folder."""

    bus: BusSpec
    folder: Path

    def publish(self, *deliveries: Sent) -> None:
        with closing(open_publisher(self.bus, OFFRAMPS)) as publisher:
            receipts = publish(publisher, window(deliveries))
        assert all(receipts.confirmed)

    def bare(self) -> list[dict[str, Any]]:
        """What lies on the bus itself."""
        return _rows(open_bare_observer(self.bus, OFFRAMPS))

    def seen(self) -> list[dict[str, Any]]:
        """What the witness sees."""
        return _rows(open_observer(self.bus, OFFRAMPS))

    def claims(self) -> list[Path]:
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def edit(self, statement: str, *values: object) -> None:
        """Tamper with the bus."""
        with closing(sqlite3.connect(self.folder.parent / "bus.db")) as connection, connection:
            connection.execute(statement, values)


def _rows(observer: Any) -> list[dict[str, Any]]:
    with closing(observer):
        return list(pa.Table.from_batches(observer.observe({}), OBSERVED).to_pylist())


@pytest.fixture
def claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Claimed:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    spec = ClaimsSpec("folder", str(tmp_path / "claims"), LIMIT, "met.test")
    bus = BusSpec("metip", "sql", f"sqlite:///{tmp_path}/bus.db", claims=spec)
    make_ready(bus, OFFRAMPS)
    return Claimed(bus, tmp_path / "claims")


def headed(run: str = "run-1", lane: str = "bulk") -> dict[str, str]:
    return {**HEADS, "ce_lane": lane, "ce_runid": run}


def test_a_large_body_lies_in_the_store_and_its_delivery_refers_to_it(claimed: Claimed) -> None:
    """No body on the bus; where it is, its digest and length; all else as it was."""
    body = b"{" + b"x" * LIMIT
    claimed.publish(sent(body))
    (claim,) = claimed.claims()
    (row,) = claimed.bare()
    assert row["body"] == b""
    assert json.loads(row["headers"]) == {
        **headed(),
        REF: f"urn:isb-migrate:claim:{claim.name}",
        DIGEST: f"sha256:{hashlib.sha256(body).hexdigest()}",
        LENGTH: str(len(body)),
    }
    assert claim.read_bytes() == body


def test_the_limit_itself_still_travels(claimed: Claimed) -> None:
    """A byte below, at, and above it."""
    claimed.publish(*(sent(b"x" * (LIMIT + by), number=by + 2) for by in (-1, 0, 1)))
    assert [len(row["body"]) for row in claimed.bare()] == [LIMIT - 1, LIMIT, 0]
    assert [len(row["body"]) for row in claimed.seen()] == [LIMIT - 1, LIMIT, LIMIT + 1]


def test_the_witness_sees_the_delivery_as_it_would_be_without_claims(claimed: Claimed) -> None:
    """Headers and body to the byte, so that nothing that compares need know of claims."""
    deliveries = [sent(b"x" * LIMIT * 2), sent(b"small", number=2), sent(b"y" * LIMIT * 3, "nfd")]
    claimed.publish(*deliveries)
    plain = replace(claimed.bus, url=f"{claimed.bus.url}.plain", claims=None)
    make_ready(plain, OFFRAMPS)
    with closing(open_publisher(plain, OFFRAMPS)) as publisher:
        publish(publisher, window(deliveries))
    assert claimed.seen() == _rows(open_observer(plain, OFFRAMPS))


def test_two_off_ramps_share_one_claim(claimed: Claimed) -> None:
    """Equal bodies have one name, whoever gets them; another body another."""
    body = b"z" * (LIMIT + 1)
    claimed.publish(sent(body), sent(body, "nfd"), sent(body + b".", number=2))
    assert len(claimed.claims()) == 2
    assert [row["body"] for row in claimed.seen()] == [body, body, body + b"."]


def test_a_name_tells_nothing_without_the_key(
    claimed: Claimed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no digest of the body; another namespace's key gives another name."""
    body = b"z" * (LIMIT + 1)
    claimed.publish(sent(body))
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "other-keys"))
    claimed.publish(sent(body))
    names = {path.name for path in claimed.claims()}
    assert len(names) == 2
    assert hashlib.sha256(body).hexdigest() not in names
    assert [row["body"] for row in claimed.seen()] == [body, body]


def test_bodies_are_durable_before_the_window_is_marked(
    claimed: Claimed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark is asked for before the intent is written down; sending stores nothing twice."""
    events: list[str] = []
    monkeypatch.setattr(durable, "made_durable", events.append)
    large = window([sent(b"z" * (LIMIT + 1))])
    with closing(open_publisher(claimed.bus, OFFRAMPS)) as publisher:
        publisher.mark(large)
        assert events == ["claim"]
        publisher.send(large)
        publisher.receipts()
    assert events == ["claim"]


def test_a_crash_between_claim_and_publish_leaves_nothing_but_the_claim(claimed: Claimed) -> None:
    """The bus has nothing of the window, and says so; offered again, there is one claim and one
    delivery."""
    large = window([sent(b"z" * (LIMIT + 1)), sent(b"small", number=2)])
    with closing(open_publisher(claimed.bus, OFFRAMPS)) as publisher:
        mark = publisher.mark(large)
    assert len(claimed.claims()) == 1
    with closing(open_publisher(claimed.bus, OFFRAMPS)) as publisher:
        answers = publisher.resolve(large, mark, {})
        assert answers is not None
        assert list(answers.confirmed) == [False, False]
        publish(publisher, large)
    with closing(open_publisher(claimed.bus, OFFRAMPS)) as publisher:
        answers = publisher.resolve(large, mark, {})
        assert answers is not None
        assert list(answers.confirmed) == [True, True]
    assert len(claimed.claims()) == 1
    assert [row["body"] for row in claimed.seen()] == [b"z" * (LIMIT + 1), b"small"]


TAMPER: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "grown": lambda path: path.write_bytes(path.read_bytes() + b"."),
    "changed": lambda path: path.write_bytes(b"y" + path.read_bytes()[1:]),
    "emptied": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("how", TAMPER)
def test_a_claim_that_is_not_what_its_reference_says_is_no_body(claimed: Claimed, how: str) -> None:
    """The delivery is there, with its headers as they were; its body is not. Others are whole."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    (claim,) = claimed.claims()
    claimed.publish(sent(b"x" * (LIMIT + 1), number=2))
    TAMPER[how](claim)
    first, second = claimed.seen()
    assert (json.loads(first["headers"]), first["body"]) == (headed(), None)
    assert second["body"] == b"x" * (LIMIT + 1)


@pytest.mark.parametrize(
    "change",
    [
        (REF, "urn:isb-migrate:claim:../../etc/passwd"),
        (REF, "file:///etc/passwd"),
        (REF, "https://elsewhere.example/" + "a" * 64),
        (REF, ["urn:isb-migrate:claim:" + "a" * 64]),
        (LENGTH, "-1"),
        (LENGTH, "1e9"),
        (DIGEST, "md5:0"),
    ],
)
def test_only_references_of_our_own_are_followed(
    claimed: Claimed, change: tuple[str, object]
) -> None:
    """Anything else is shown as it lies: an altered delivery, never a visit to another place."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    (before,) = claimed.bare()
    headers = {**json.loads(before["headers"]), change[0]: change[1]}
    claimed.edit("UPDATE delivery SET headers = ?", json.dumps(headers))
    assert claimed.seen() == claimed.bare()
    assert json.loads(claimed.seen()[0]["headers"])[change[0]] == change[1]


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ((DIGEST, "sha256:" + "0" * 64), None),
        ((LENGTH, "7"), None),
        ((REF, "urn:isb-migrate:claim:" + "a" * 64), None),
    ],
)
def test_a_reference_that_was_changed_is_no_body(
    claimed: Claimed, change: tuple[str, str], body: None
) -> None:
    """A receiver could not redeem it either."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    (before,) = claimed.bare()
    headers = {**json.loads(before["headers"]), change[0]: change[1]}
    text = json.dumps(headers, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    claimed.edit("UPDATE delivery SET headers = ?", text)
    assert claimed.seen()[0]["body"] is body


def test_a_body_beside_a_reference_is_shown_as_it_lies(claimed: Claimed) -> None:
    """`data` and `dataref` must be one and the same: somebody put it there."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    claimed.edit("UPDATE delivery SET body = x'00'")
    assert claimed.seen() == claimed.bare()


def test_headers_written_otherwise_are_not_made_whole(claimed: Claimed) -> None:
    """A name said twice would vanish when they are written again."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    claimed.edit("UPDATE delivery SET headers = replace(headers, '{', '{\"ce_lane\":\"x\",')")
    assert claimed.seen() == claimed.bare()


def test_a_store_that_is_away_is_no_verdict(claimed: Claimed) -> None:
    """Could not tell is not a pass, and no loss either."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    claimed.folder.rename(claimed.folder.with_name("unmounted"))
    with pytest.raises(CouldNotVerify, match="claim store"):
        claimed.seen()


def test_a_batch_of_large_bodies_comes_in_parts(
    claimed: Claimed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory does not grow with what a batch of the bus refers to; nothing is lost at the cuts."""
    monkeypatch.setattr("loaders.claims.observe.BATCH_BYTES", 3 * LIMIT)
    bodies = [b"%d" % n + b"z" * (LIMIT * (n % 3)) for n in range(20)]
    claimed.publish(*(sent(body, number=n) for n, body in enumerate(bodies)))
    with closing(open_observer(claimed.bus, OFFRAMPS)) as observer:
        batches = list(observer.observe({}))
    assert [body for batch in batches for body in batch.column("body").to_pylist()] == bodies
    assert len(batches) > 3
    assert isinstance(observer, Observer)


ATTRIBUTES = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)


@given(ATTRIBUTES, st.binary(min_size=1, max_size=50), st.text(max_size=12))
def test_a_reference_says_all_that_is_needed(
    attributes: dict[str, str], body: bytes, base: str
) -> None:
    """What refers to a body is read as that body's name, digest and length, and leaves the other
    attributes; without any of the three it is no reference."""
    besides = referring(base, "a" * 64, body)
    head = _compact({**attributes, **besides})
    found = read_reference(base, head, b"")
    assert found is not None
    left = {name: value for name, value in attributes.items() if name not in besides}
    assert (found.name, found.length, found.head) == ("a" * 64, len(body), _compact(left))
    for name in besides:
        lacking = {key: value for key, value in besides.items() if key != name}
        assert read_reference(base, _compact({**left, **lacking}), b"") is None


@given(st.one_of(st.none(), st.text(), st.dictionaries(st.text(), st.integers()).map(json.dumps)))
def test_foreign_headers_are_no_reference(head: str | None) -> None:
    """And no error."""
    assert read_reference("urn:x:", head, None) is None


def _compact(attributes: dict[str, str]) -> str:
    return json.dumps(attributes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def test_claims_nobody_refers_to_can_be_told(claimed: Claimed) -> None:
    """What a killed run left, compared with what lies on the bus."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    with closing(open_publisher(claimed.bus, OFFRAMPS)) as publisher:
        publisher.mark(window([sent(b"y" * (LIMIT + 1))]))
    assert sorted(one.state for one in account(claimed).claims.values()) == [
        "referred",
        "unreferenced",
    ]


def account(claimed: Claimed) -> Account:
    with (
        closing(open_claims(claimed.bus)) as store,
        closing(open_bare_observer(claimed.bus, OFFRAMPS)) as observer,
    ):
        return take_account(observer, store, claimed.bus.claims.base)


@pytest.mark.parametrize(
    "change",
    [
        "replace(headers, 'urn:isb-migrate:claim:', 'https://elsewhere.example/')",
        "replace(headers, '{', '{\"ce_lane\":\"x\",')",
        "'no JSON, ' || headers",
    ],
)
def test_a_name_in_any_headers_is_a_reference(claimed: Claimed, change: str) -> None:
    """Another base, a member said twice, no JSON at all: a receiver may still make something of
    it. That it is none of ours any more is told when it is verified."""
    claimed.publish(sent(b"z" * (LIMIT + 1)))
    claimed.edit(f"UPDATE delivery SET headers = {change}")
    (claim,) = account(claimed).claims.values()
    assert (claim.state, claim.referring[0].reference) == ("referred", None)
    with closing(open_claims(claimed.bus)) as store:
        assert [state for _, state in verified(claim, store)] == ["altered"]
