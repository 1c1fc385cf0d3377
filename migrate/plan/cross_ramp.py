"""Checks of an off-ramp whose keys each fit the model: rates, backlogs, blackouts."""

from collections.abc import Iterator

from migrate.core.blackout import always_on
from migrate.plan.build import build_offramps
from migrate.plan.model import OffRampModel, PlanModel
from migrate.plan.problem import Problem, wrong
from migrate.plan.walk import key_path


def ramp_problems(plan: PlanModel) -> Iterator[Problem]:
    """Everything wrong with how off-ramps are to be fed."""
    for name, ramp in plan.offramp.items():
        where = key_path(("offramp", name))
        yield from _rate(where, ramp)
        yield from _backlog(where, ramp)
        yield from _blackouts(plan, where, name, ramp)


def _rate(where: str, ramp: OffRampModel) -> Iterator[Problem]:
    if ramp.rate and ramp.rate.messages_per_s is None and ramp.rate.bytes_per_s is None:
        yield wrong(f"{where}.rate", "names no rate", "messages_per_s, bytes_per_s, or both")


def _backlog(where: str, ramp: OffRampModel) -> Iterator[Problem]:
    if ramp.backlog is None:
        return
    resume = ramp.backlog.resume_below
    if resume is not None and resume > ramp.backlog.pause_above:
        yield wrong(
            f"{where}.backlog.resume_below",
            "is above pause_above",
            "let it be the smaller one: an off-ramp is fed again once its receivers caught up",
        )


def _blackouts(plan: PlanModel, where: str, name: str, ramp: OffRampModel) -> Iterator[Problem]:
    if not ramp.blackout:
        return
    if plan.plan.timezone is None:
        yield wrong(
            f"{where}.blackout",
            "is in local time, and the plan names no time zone",
            'such as timezone = "Europe/London" in [plan]',
        )
    before = len(ramp.blackout)
    for index, one in enumerate(ramp.blackout):
        if one.from_ in (one.to, "24:00"):
            before -= 1
            yield wrong(
                f"{where}.blackout[{index}]",
                "has no beginning and end that differ"
                if one.from_ == one.to
                else "begins when the day is over",
                'a whole day is from = "00:00", to = "24:00"',
            )
    if before == len(ramp.blackout) and always_on(build_offramps(plan)[name].blackouts):
        yield wrong(f"{where}.blackout", "leaves no minute of the week", "leave some time to load")
