"""What the readable formats show above the numbered sections: title, verdict, key figures."""

from dataclasses import dataclass

from reports.account import account_of
from reports.matters import headline, open_matters
from reports.model import Json, Report
from reports.page import Section
from reports.sections import sections
from reports.show import NOTHING, counted, grouped, moment
from reports.words import VERDICTS, meaning


@dataclass(frozen=True, slots=True)
class View:
    """One report, ready to be laid out."""

    marking: str
    title: str
    rehearsal: bool
    version: str
    headline: str
    verdict: str
    rest: str
    sentence: str
    figures: tuple[tuple[str, str, str], ...]
    matters: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def view_of(report: Report) -> View:
    """Lay a report out for people."""
    line = headline(report)
    return View(
        marking=report.marking,
        title=f"{report.plan.get('name') or 'migration'}, run {report.run['id']}",
        rehearsal=report.run.get("kind") == "rehearsal",
        version=str(report.run.get("tool_version") or ""),
        headline=line,
        verdict=report.verdict,
        rest=line.removeprefix(report.verdict).removeprefix(", "),
        sentence=meaning(VERDICTS, report.verdict),
        figures=_figures(report),
        matters=open_matters(report),
        facts=_facts(report),
        sections=sections(report),
    )


def _figures(report: Report) -> tuple[tuple[str, str, str], ...]:
    """(name, number, what else belongs to it)."""
    account = account_of(report.summary)
    deliveries = report.summary["deliveries"]
    findings = sum(report.kinds.values())
    waiting = int(report.open["quarantined"])
    return (
        (
            "Legacy messages",
            grouped(int(account["legacy"])),
            f"in {counted(len(report.flows), 'flow')}; the account {_balance(account)}",
        ),
        (
            "Deliveries matched",
            grouped(int(deliveries["matched"])),
            (
                f"of {grouped(int(deliveries['expected']))} expected; "
                f"{grouped(int(deliveries['observed']))} observed"
            ),
        ),
        (
            "Findings",
            grouped(findings),
            f"of {counted(len(report.kinds), 'kind')}" if findings else "of any kind",
        ),
        (
            "Awaiting decision",
            grouped(waiting),
            f"{grouped(int(report.open['in_doubt']))} in doubt",
        ),
    )


def _balance(account: Json) -> str:
    return "balances" if account["balanced"] else "does not balance"


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    run, plan = report.run, report.plan
    facts = (
        ("Run", run["id"]),
        ("Kind", run.get("kind")),
        ("Plan", plan.get("name")),
        ("Namespace", plan.get("namespace")),
        ("Environment", plan.get("environment")),
        ("As of", moment(run.get("as_of"))),
        ("Started", moment(run.get("started"))),
        ("Ended", moment(run.get("ended"))),
        ("Compared", f"{grouped(int(report.summary['compared']))}"),
        ("Assurance", _assurance(report)),
        ("Time zone", plan.get("timezone")),
        ("Plan digest", f"{str(run.get('plan_digest'))[:16]}…"),
    )
    return tuple((name, str(value or NOTHING)) for name, value in facts)


def _assurance(report: Report) -> str:
    """`witnessed: loading, extraction; not assured: mapping`."""
    subjects: dict[str, list[str]] = {}
    for what, level in (report.summary.get("assurance") or {}).items():
        subjects.setdefault(str(level), []).append(str(what))
    return "; ".join(f"{level}: {', '.join(names)}" for level, names in subjects.items())
