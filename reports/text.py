"""The verdict in a few plain lines, for a terminal."""

from migrate.core.flow import FATES
from migrate.core.runfolder import RunFolder
from reports.account import account_of
from reports.matters import headline as headline_of
from reports.matters import open_matters
from reports.model import Json, Report, load_report
from reports.show import THIN, counted, grouped, visible


def headline(folder: RunFolder) -> str:
    """Verdict, account, deliveries, open matters of a reconciled run; no trailing newline.

    Raises CouldNotVerify where there is no verdict.
    """
    return text_of(load_report(folder))


def text_of(report: Report) -> str:
    """The same of a report that is already read."""
    lines = [headline_of(report), "", *_account(report), _deliveries(report)]
    lines += [f"  {matter}" for matter in open_matters(report)]
    return "\n".join(visible(line).replace(THIN, ",") for line in lines)


def _account(report: Report) -> list[str]:
    """The account in columns that add up, a line per flow and one for all."""
    entries: list[tuple[str, Json]] = [*report.flows.items(), ("all flows", report.summary)]
    names = [visible(name) for name, _ in entries]
    numbers = [[account_of(entry)[key] for key in ("legacy", *FATES)] for _, entry in entries]
    texts = [[f"{int(number):,}" for number in row] for row in numbers]
    heads = ["legacy", *FATES]
    widths = [max(len(t) for t in column) for column in zip(heads, *texts, strict=True)]
    first = max(len(name) for name in names)
    lines = [_line("", heads, widths, first, " ", " ")]
    for name, row, (_, entry) in zip(names, texts, entries, strict=True):
        equals = "=" if account_of(entry)["balanced"] else "≠"
        lines.append(_line(name, row, widths, first, equals, "+"))
    return lines


def _line(
    name: str, cells: list[str], widths: list[int], first: int, equals: str, plus: str
) -> str:
    fitted = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
    return f"  {name.ljust(first)}  {fitted[0]} {equals} {f' {plus} '.join(fitted[1:])}".rstrip()


def _deliveries(report: Report) -> str:
    deliveries = {name: int(number) for name, number in report.summary["deliveries"].items()}
    return (
        f"  {counted(deliveries['expected'], 'delivery', 'deliveries')} expected, "
        f"{grouped(deliveries['observed'])} observed, {grouped(deliveries['matched'])} matched"
    )
