"""What is wrong with a plan is told with its key and its remedy: one folder a mistake."""

import re
import tomllib
from pathlib import Path

import pytest

from migrate.core.errors import PlanError
from migrate.plan.load import load_plan
from migrate.plan.problem import PlanProblems

BAD = Path(__file__).parent / "cases" / "bad"
ENVIRON = {"EMPTY": "", "N": "1"}


def told(folder: Path) -> str:
    """What loading the folder's plan says, a problem a line, paths below the folder."""
    with pytest.raises(PlanError) as caught:
        load_plan(folder, environ=ENVIRON)
    error = caught.value
    lines = [f"{error} ({error.hint})"]
    if isinstance(error, PlanProblems):
        lines = [str(problem) for problem in error.problems]
    return "".join(line.replace(f"{folder}/", "") + "\n" for line in lines)


@pytest.mark.parametrize("case", sorted(BAD.iterdir()), ids=lambda case: case.name)
def test_a_bad_plan_is_told_as_expected(case: Path) -> None:
    """Every problem of the plan, and no other; `…` in the expectation stands for any text."""
    expected = (case / "expect.txt").read_text(encoding="utf-8")
    pattern = ".*".join(re.escape(part) for part in expected.split("…"))
    assert re.fullmatch(pattern, told(case)), told(case)


@pytest.mark.parametrize("case", sorted(BAD.iterdir()), ids=lambda case: case.name)
def test_every_problem_has_a_remedy_or_speaks_for_itself(case: Path) -> None:
    """A problem names its key; it exits 2; no secret of the plan is repeated."""
    with pytest.raises(PlanError) as caught:
        load_plan(case, environ=ENVIRON)
    assert caught.value.exit_code == 2
    assert "plan.toml" in str(caught.value)
    assert "hunter" not in f"{caught.value} {caught.value.hint}"
    assert all(problem.where for problem in getattr(caught.value, "problems", ()))


@pytest.mark.parametrize("case", sorted(BAD.glob("toml-*")), ids=lambda case: case.name)
def test_a_syntax_error_is_one(case: Path) -> None:
    """The cases named `toml-` are refused by the TOML parser, not by the model."""
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads((case / "plan.toml").read_text(encoding="utf-8"))


def test_several_problems_are_told_in_one_error() -> None:
    """The message lists them, the key is that of the first."""
    with pytest.raises(PlanProblems) as caught:
        load_plan(BAD / "several-problems-at-once", environ={})
    assert len(caught.value.problems) == 5
    assert caught.value.key == caught.value.problems[0].where
    assert str(caught.value).count("\n") == 5


def test_a_plan_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The file is named, whether it or its folder was given."""
    for path in (tmp_path, tmp_path / "plan.toml"):
        with pytest.raises(PlanError, match=r"plan\.toml: does not exist"):
            load_plan(path)
