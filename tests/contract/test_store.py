"""What every legacy store must do, whichever it is."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from extractors import STORES
from migrate.core.errors import LegacyUnreadable
from migrate.core.identity import record_digests
from migrate.core.ports import Chunk, LegacyStore
from migrate.core.registry import resolve
from migrate.core.schema import LEGACY
from migrate.core.totals import Totals
from tests.contract.stores import Estate, Fresh, cases

BODIES = [f'{{"number": {n}}}'.encode() for n in range(7)]
AWKWARD = [b"\x00\x01\r\n", b"\xff\xfe not utf-8", "naïve ☃ 𝄞".encode(), b" ", b'"quoted"']

Holding = Callable[[Sequence[bytes]], AbstractContextManager[Estate]]


@pytest.fixture(params=cases())
def holding(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Holding]:
    """Makes stores of one kind that hold some bodies."""
    fresh: Fresh = request.param
    numbers = itertools.count()
    with ExitStack() as stack:

        @contextmanager
        def make(bodies: Sequence[bytes]) -> Iterator[Estate]:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            yield stack.enter_context(fresh(folder, bodies))

        yield make


@contextmanager
def opened(estate: Estate, **limits: int) -> Iterator[LegacyStore]:
    """The registered class behind a kind, on a spec with some limits."""
    spec = replace(estate.spec, **limits)  # type: ignore[arg-type]
    store = resolve(STORES, spec.kind, what="legacy store", extras={})(spec)
    try:
        yield store
    finally:
        store.close()


def chunks(estate: Estate, *, limits: dict[str, int] | None = None, **asked: Any) -> list[Chunk]:
    with opened(estate, **(limits or {})) as store:
        return list(store.read(estate.source, **asked))


def whole(found: Sequence[Chunk]) -> pa.Table:
    return pa.concat_tables([chunk.table for chunk in found] or [LEGACY.empty_table()])


def bodies_of(table: pa.Table) -> list[bytes]:
    return list(table.column("body").to_pylist())


def test_every_registered_store_is_under_this_contract() -> None:
    """A store is no store before this suite has run over it."""
    kinds = {case.id.partition("-")[0] for case in cases()}  # type: ignore[attr-defined]
    assert kinds == {kind.replace("-", "_") for kind in STORES}


@pytest.mark.parametrize("kind", STORES)
def test_every_kind_says_of_itself_what_it_sees_and_cannot_see(kind: str) -> None:
    """docs/reference/stores.md is made of it."""
    about = resolve(STORES, kind, what="legacy store", extras={}).about
    assert about.what and about.url and about.from_ and about.identity and about.tested
    assert about.sees and about.cannot_see


def test_records_come_in_the_sources_order(holding: Holding) -> None:
    """Positions count on from the given one, in the order of the store, whatever the page."""
    with holding(BODIES) as estate:
        for rows in (1, 2, 7, 100):
            table = whole(chunks(estate, limits={"batch_rows": rows}, position=40))
            assert bodies_of(table) == BODIES
            assert table.column("position").to_pylist() == list(range(40, 47))


def test_bytes_arrive_as_they_are(holding: Holding) -> None:
    """No body is decoded, trimmed or normalised on its way."""
    with holding(AWKWARD) as estate:
        assert bodies_of(whole(chunks(estate))) == AWKWARD


def test_segments_have_the_schema_and_their_own_digests(holding: Holding) -> None:
    """Every chunk is a table in LEGACY; its digests are those of its rows; its ids are unique."""
    with holding(BODIES + AWKWARD) as estate:
        for chunk in chunks(estate, limits={"batch_rows": 5}):
            assert chunk.table.schema == LEGACY
            chunk.table.validate(full=True)
            digests = record_digests(chunk.table).to_pylist()
            assert chunk.table.column("record_digest").to_pylist() == digests
        ids = whole(chunks(estate)).column("legacy_id").to_pylist()
        assert len(set(ids)) == len(BODIES + AWKWARD)


def test_resuming_from_any_checkpoint_gives_the_same_chunks(holding: Holding) -> None:
    """What follows a checkpoint does not depend on who read what came before."""
    with holding(BODIES) as estate:
        limits = {"batch_rows": 2}
        found = chunks(estate, limits=limits)
        assert len(found) == 4
        for done, chunk in enumerate(found, 1):
            behind = sum(part.table.num_rows for part in found[:done])
            again = chunks(estate, limits=limits, after=chunk.checkpoint, position=behind)
            assert [part.checkpoint for part in again] == [p.checkpoint for p in found[done:]]
            assert [part.table for part in again] == [part.table for part in found[done:]]


def test_a_foreign_checkpoint_is_refused(holding: Holding) -> None:
    """A checkpoint that no read of this store gave is an error, not the beginning."""
    with holding(BODIES) as estate:
        for foreign in ("", "nonsense", "[1]", "{}", '{"after": 7}'):
            with pytest.raises(LegacyUnreadable):
                chunks(estate, after=foreign)


def test_a_second_reader_sees_the_same(holding: Holding) -> None:
    """Equal calls on an unchanged store yield equal chunks, in another process's place too."""
    with holding(BODIES) as estate:
        first, second = chunks(estate), chunks(estate)
        assert first == second


def test_an_empty_store_gives_nothing(holding: Holding) -> None:
    """No chunk, a population of none, and a claim of none."""
    with holding([]) as estate:
        assert chunks(estate) == []
        with opened(estate) as store:
            population = store.population(estate.source)
            assert (population.rows, population.high_water) == (0, None)
            assert list(store.read(estate.source, population)) == []
            assert sum(claim.records for claim in store.claims([estate.source])) == 0


def test_one_record_is_one_chunk(holding: Holding) -> None:
    """And nothing comes after it."""
    with holding([b"only"]) as estate:
        (chunk,) = chunks(estate)
        assert bodies_of(chunk.table) == [b"only"]
        assert chunks(estate, after=chunk.checkpoint, position=1) == []


def test_a_giant_record_arrives_whole(holding: Holding) -> None:
    """A record beyond the page's bytes is a page of its own, between its neighbours."""
    giant = bytes(range(256)) * 4096
    with holding([b"before", giant, b"after"]) as estate:
        found = chunks(estate, limits={"batch_bytes": 10_000})
        assert bodies_of(whole(found)) == [b"before", giant, b"after"]
        assert [chunk.table.num_rows for chunk in found] == [1, 1, 1]


def test_pages_are_bounded_by_rows_and_bytes(holding: Holding) -> None:
    """No chunk has more rows, nor several rows of more bytes, than the limits."""
    with holding([b"x" * 400] * 20) as estate:
        by_rows = chunks(estate, limits={"batch_rows": 3})
        assert [chunk.table.num_rows for chunk in by_rows] == [3] * 6 + [2]
        by_bytes = chunks(estate, limits={"batch_bytes": 2000})
        assert all(sum(map(len, bodies_of(c.table))) <= 2000 for c in by_bytes)
        assert bodies_of(whole(by_bytes)) == [b"x" * 400] * 20


def test_equal_records_are_each_a_record(holding: Holding) -> None:
    """Nothing is collapsed, and no two share an id."""
    with holding([b"same"] * 9) as estate:
        table = whole(chunks(estate, limits={"batch_rows": 2}))
        assert bodies_of(table) == [b"same"] * 9
        assert len(set(table.column("legacy_id").to_pylist())) == 9


def test_the_population_is_what_a_read_finds(holding: Holding) -> None:
    """Rows agree, control totals name a query each, and an unchanged store reads the same."""
    with holding(BODIES) as estate, opened(estate) as store:
        population = store.population(estate.source)
        assert population.rows == len(BODIES)
        assert all(control.query and control.value for control in population.controls)
        names = {control.name for control in population.controls}
        assert "rows" in names
        assert names & {"body_bytes", "frame_bytes"}  # what plain SQL can see of an encoded body
        assert list(store.read(estate.source, population)) == chunks(estate)


def test_control_totals_are_those_of_the_records(holding: Holding) -> None:
    """What a plain query counts is what the witness counts as records pass by."""
    with holding([*AWKWARD, *BODIES]) as estate, opened(estate) as store:
        totals = Totals()
        for chunk in store.read(estate.source):
            totals.add(chunk.table)
        for control in store.population(estate.source).controls:
            assert totals.value(control.name) in (None, control.value), control.name


def test_a_sound_source_has_no_problems_and_is_claimed_once(holding: Holding) -> None:
    """check finds nothing; every record of the store is claimed by the one flow."""
    with holding(BODIES) as estate, opened(estate) as store:
        assert list(store.check(estate.source)) == []
        claims = [claim for claim in store.claims([estate.source]) if claim.records]
        assert sum(claim.records for claim in claims) == len(BODIES)
        assert all((claim.claims, claim.flows) == (1, ("flow",)) for claim in claims)
        twice = [claim for claim in store.claims([estate.source] * 2) if claim.records]
        assert all(claim.claims == 2 for claim in twice)


def test_unclaimed_records_are_counted(holding: Holding) -> None:
    """Without a flow everything in the store is unclaimed."""
    with holding(BODIES) as estate, opened(estate) as store:
        claims = store.claims([])
        assert sum(claim.records for claim in claims) == len(BODIES)
        assert all(claim.claims == 0 for claim in claims)


def test_the_inventory_counts_the_store(holding: Holding) -> None:
    """Containers with names, and all their records."""
    with holding(BODIES) as estate, opened(estate) as store:
        containers = store.inventory()
        assert sum(container.rows or 0 for container in containers) == len(BODIES)
        assert all(container.name for container in containers)


def test_closing_is_always_possible(holding: Holding) -> None:
    """Twice, unused, and with a read half done."""
    with holding(BODIES) as estate:
        with opened(estate) as store:
            store.close()
        with opened(estate, batch_rows=1) as store:
            half = iter(store.read(estate.source))
            next(half)
            store.close()
