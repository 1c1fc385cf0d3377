"""report/index.html: one self-contained page, without scripts, to read, print and file."""

from collections.abc import Iterator

from reports.model import Report
from reports.styling import styled
from reports.svg import picture
from reports.templating import SVG_FONT, environment
from reports.view import view_of

FILE = "index.html"


def render(report: Report) -> Iterator[bytes]:
    """The whole page, UTF-8. Equal reports give equal bytes."""
    view = view_of(report)
    page = (
        environment()
        .get_template("report.html")
        .render(
            view=view,
            picture=picture(report),
            font=SVG_FONT,
            **styled(["report.css"], view.marking, view.title),
        )
    )
    yield page.encode()
