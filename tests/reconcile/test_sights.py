"""What is made of an off-ramp that is seen through a tap, by its number only, or not whole."""

from pathlib import Path

import pytest

from migrate.core.ports import Sight
from reconcile import tally
from reconcile.assurance import NOT_ASSURED, PARTLY, WITNESSED, assurances
from reconcile.checks.sights import Sights
from reconcile.findings import Findings
from tests.reconcile.synthetic import Scene, archived, evidence, replayed

DETAILS = {"controls": [], "invariants": [], "claims": []}


def scene(sight: Sight, *, ramp: str = "custody") -> Scene:
    """Three deliveries to one off-ramp and one to the archive; by number, none of the former is
    observed."""
    promised = Scene.promised(
        [*(replayed(f"A{n}", (ramp, "bulk")) for n in range(3)), archived("B")]
    )
    if sight.how == "counts":
        promised.bus = [copy for copy in promised.bus if copy.destination != ramp]
    promised.sights = {ramp: sight}
    return promised


def asked(scene: Scene, folder: Path) -> tuple[list[tuple[str, str | None, str | None]], list[str]]:
    """Findings of the check (kind, expected, observed), and the scopes it could not verify."""
    with evidence(scene, folder) as facts:
        findings = Findings(facts.work)
        answer = Sights().run(facts, findings)
        findings.publish()
        rows = facts.work.rows("SELECT kind, expected, observed FROM finding")
        return rows, [scope for scope, _ in answer.unverified]


def test_a_number_that_fits_is_no_finding_and_no_doubt(tmp_path: Path) -> None:
    """Nothing more can be asked of a number."""
    assert asked(scene(Sight("counts", 3)), tmp_path) == ([], [])


@pytest.mark.parametrize("there", [0, 2, 4])
def test_a_number_that_does_not_fit_is_a_finding_and_its_flows_are_doubtful(
    there: int, tmp_path: Path
) -> None:
    """Which of them are amiss cannot be said."""
    found, scopes = asked(scene(Sight("counts", there)), tmp_path)
    assert found == [("unbalanced", "3", str(there))]
    assert scopes == ["flow custody"]


@pytest.mark.parametrize(
    "sight", [Sight("tap", doubt="a binding differs"), Sight("counts", None), Sight(doubt="purged")]
)
def test_what_is_not_seen_whole_is_unverified(sight: Sight, tmp_path: Path) -> None:
    """Could not tell is not a pass."""
    assert asked(scene(sight), tmp_path) == ([], ["flow custody"])


def test_a_shared_off_ramp_cannot_be_told_by_its_number(tmp_path: Path) -> None:
    """Others' messages are in the number too."""
    found, scopes = asked(scene(Sight("counts", 3), ramp="shared"), tmp_path)
    assert (found, scopes) == ([], ["flow custody"])


def test_a_doubt_about_an_off_ramp_that_no_flow_feeds_is_about_the_bus(tmp_path: Path) -> None:
    """It is not lost because nobody's verdict hangs on it."""
    sound = scene(Sight("counts", 3))
    sound.sights["nfd"] = Sight(doubt="its bindings cannot be read")
    assert asked(sound, tmp_path) == ([], ["bus"])


@pytest.mark.parametrize(("there", "matched", "observed"), [(3, 4, 4), (2, 1, 1)])
def test_deliveries_seen_by_number_are_matched_all_or_none(
    there: int, matched: int, observed: int, tmp_path: Path
) -> None:
    """And are never called missing one by one."""
    with evidence(scene(Sight("counts", there)), tmp_path) as facts:
        Findings(facts.work).publish()
        flow = tally.tally(facts, {}, {})["custody"]
        assert (flow.expected, flow.matched, flow.observed) == (4, matched, observed)
        assert facts.comparison.by_kind.total() == 0
        places = {place["destination"]: place for place in tally.destinations(facts)}
    assert places["custody"]["observed"] == there
    assert places["custody"]["observe"] == "counts"


def test_two_lanes_of_one_number_are_not_told_apart(tmp_path: Path) -> None:
    """Where the number of an off-ramp does not fit, nobody knows which of its lanes is amiss."""
    promised = Scene.promised([replayed("A", ("custody", "bulk")), replayed("B")])
    promised.bus, promised.sights = [], {"custody": Sight("counts", 1)}
    with evidence(promised, tmp_path) as facts:
        Findings(facts.work).publish()
        assert facts.comparison.compared == 0
        assert [place["observed"] for place in tally.destinations(facts)] == [None, None]


@pytest.mark.parametrize(
    ("sight", "level", "word"),
    [
        (Sight(), WITNESSED, "looked for"),
        (Sight("tap"), WITNESSED, "a tap was read"),
        (Sight("counts", 3), PARTLY, "only the number"),
    ],
)
def test_the_assurance_says_how_off_ramps_are_seen(
    sight: Sight, level: str, word: str, tmp_path: Path
) -> None:
    """A reader must not take a number for a reading."""
    with evidence(scene(sight), tmp_path) as facts:
        entries = assurances(facts, {"custody": tally.FlowTally()}, DETAILS)
    loading = next(entry for entry in entries if entry["what"] == "loading")
    assert (loading["level"], word in loading["rests_on"]) == (level, True)


def test_nothing_is_said_of_a_bus_that_was_not_read(tmp_path: Path) -> None:
    """Its doubt is told once, by whoever tried to read it."""
    dark = scene(Sight("counts", 3))
    dark.bus_seen = False
    assert asked(dark, tmp_path) == ([], [])
    with evidence(dark, tmp_path / "again") as facts:
        entries = assurances(facts, {"custody": tally.FlowTally()}, DETAILS)
    assert next(e["level"] for e in entries if e["what"] == "loading") == NOT_ASSURED
