"""report/index.html: one self-contained page, without scripts, to read, print and file."""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from markupsafe import Markup

from reports.model import Report
from reports.show import visible
from reports.svg import picture
from reports.templating import SVG_FONT, environment
from reports.view import View, view_of

FILE = "index.html"


def render(report: Report) -> Iterator[bytes]:
    """The whole page, UTF-8. Equal reports give equal bytes."""
    view = view_of(report)
    style = _style() + _running_head(view)
    page = (
        environment()
        .get_template("report.html")
        .render(
            view=view,
            picture=picture(report),
            font=SVG_FONT,
            style=Markup(style),  # noqa: S704 - ours, but for the marking, which is CSS-escaped
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )
    yield page.encode()


@cache
def _style() -> str:
    return resources.files("reports").joinpath("templates/report.css").read_text(encoding="utf-8")


def _running_head(view: View) -> str:
    """Marking, run and page number in the margins of every printed page."""
    marking = css_string(visible(view.marking))
    run = css_string(visible(view.title))
    boxes = (
        f"@top-center {{ content: {marking}; font: 600 8pt Arial, sans-serif; }} "
        f"@bottom-left {{ content: {run}; font: 7.5pt Arial, sans-serif; }} "
        f"@bottom-center {{ content: {marking}; font: 600 8pt Arial, sans-serif; }} "
        '@bottom-right { content: counter(page) " of " counter(pages); '
        "font: 7.5pt Arial, sans-serif; }"
    )
    return f"@page {{ {boxes} }}\n"


def css_string(text: str) -> str:
    """A CSS string in which nothing but ASCII letters and digits stands for itself."""
    inside = "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x} " for c in text)
    return f'"{inside}"'
