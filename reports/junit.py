"""report/junit.xml: one test case per flow and check, for whoever runs migrations in CI.

A finding fails the case of its flow and the check that detects it, with the
counts; a flow that could not be verified is an error, never a pass. What
belongs to no flow stands in the suite of the run, and its last case is the
verdict itself, so that the file passes exactly when the run agrees.
"""

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from reports.matters import headline
from reports.model import Json, Report
from reports.show import THIN, visible
from reports.words import DOUBTS, KINDS, meaning

FILE = "junit.xml"
OTHER = "other findings"


def render(report: Report) -> Iterator[bytes]:
    """The whole document, UTF-8."""
    root = ET.Element("testsuites", name=visible(f"isb-migrate {report.run['id']}"))
    checks = _checks(report)
    for flow, entry in report.flows.items():
        _suite(root, report, flow, entry["findings"], checks, _reasons(report, flow))
    _whole(root, report, checks)
    _count(root)
    ET.indent(root)
    yield ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _checks(report: Report) -> dict[str, tuple[str, ...]]:
    """Check → finding kinds it is answerable for; each kind with the first that detects it."""
    left = [*KINDS, *(kind for kind in report.kinds if kind not in KINDS)]
    checks: dict[str, tuple[str, ...]] = {}
    for check in report.part("checks"):
        mine = tuple(kind for kind in check["detects"] if kind in left)
        left = [kind for kind in left if kind not in mine]
        checks[str(check["name"])] = mine
    return {**checks, OTHER: tuple(left)}


def _reasons(report: Report, flow: str | None) -> list[str]:
    """Why a flow (None: what is no flow) could not be verified."""
    flows = {f"flow {name}": name for name in report.flows}
    return [
        f"{entry['scope']}: {entry['reason']}"
        for entry in report.part("unverified")
        if flows.get(entry["scope"]) == flow
    ]


def _suite(
    root: ET.Element,
    report: Report,
    name: str,
    findings: Mapping[str, int],
    checks: Mapping[str, tuple[str, ...]],
    reasons: list[str],
) -> ET.Element:
    suite = ET.SubElement(root, "testsuite", name=visible(name))
    _marked(suite, report)
    for check, kinds in checks.items():
        counts = {kind: int(findings[kind]) for kind in kinds if findings.get(kind)}
        if check == OTHER and not counts:
            continue
        case = _case(suite, name, check)
        if counts.keys() - DOUBTS:
            _fail(case, counts)
        elif counts or reasons:
            _error(case, [*_counted(counts), *reasons])
    return suite


def _whole(root: ET.Element, report: Report, checks: Mapping[str, tuple[str, ...]]) -> None:
    """What belongs to no flow, and the verdict."""
    left = {
        kind: count - sum(int(e["findings"].get(kind, 0)) for e in report.flows.values())
        for kind, count in report.kinds.items()
    }
    suite = _suite(root, report, "run", left, checks, _reasons(report, None))
    case = _case(suite, "run", "verdict")
    if report.verdict == "differs":
        ET.SubElement(case, "failure", message=_plain(headline(report)), type="differs")
    elif report.verdict != "agrees":
        _error(case, [_plain(headline(report))])


def _marked(suite: ET.Element, report: Report) -> None:
    properties = ET.SubElement(suite, "properties")
    values: Json = {
        "marking": report.marking,
        "run": report.run["id"],
        "as_of": report.run["as_of"],
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=visible(str(value or "")))


def _case(suite: ET.Element, flow: str, check: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=visible(flow), name=visible(check))


def _fail(case: ET.Element, counts: Mapping[str, int]) -> None:
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    failure = ET.SubElement(case, "failure", message=_plain(said), type=visible(next(iter(counts))))
    failure.text = "\n".join(visible(line) for line in _counted(counts))


def _counted(counts: Mapping[str, int]) -> list[str]:
    return [f"{kind}: {count}. {meaning(KINDS, kind)}" for kind, count in counts.items()]


def _error(case: ET.Element, reasons: list[str]) -> None:
    error = ET.SubElement(case, "error", message="could not be verified", type="unverified")
    error.text = "\n".join(visible(reason) for reason in reasons)


def _plain(text: str) -> str:
    return visible(text.replace(THIN, ","))


def _count(root: ET.Element) -> None:
    """The totals that CI servers read from the suites."""
    for suite in root.iter("testsuite"):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(name, str(len(list(suite.iter(tag)))))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root.iter("testsuite"))))
