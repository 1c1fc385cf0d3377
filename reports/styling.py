"""The style of a self-contained page, and the hash by which its security policy allows it."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from markupsafe import Markup

from reports.show import visible


def styled(sheets: Sequence[str], marking: str, title: str) -> dict[str, str]:
    """`style` and `style_hash` for the templates' head: style sheets of reports/templates, and
    marking, title and page number in the margins of every printed page."""
    style = "".join(map(_sheet, sheets)) + _running_head(marking, title)
    return {
        "style": Markup(style),  # noqa: S704 - ours, but for marking and title, CSS-escaped
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    }


@cache
def _sheet(name: str) -> str:
    return resources.files("reports").joinpath(f"templates/{name}").read_text(encoding="utf-8")


def _running_head(marking: str, title: str) -> str:
    above, left = css_string(visible(marking)), css_string(visible(title))
    boxes = (
        f"@top-center {{ content: {above}; font: 600 8pt Arial, sans-serif; }} "
        f"@bottom-left {{ content: {left}; font: 7.5pt Arial, sans-serif; }} "
        f"@bottom-center {{ content: {above}; font: 600 8pt Arial, sans-serif; }} "
        '@bottom-right { content: counter(page) " of " counter(pages); '
        "font: 7.5pt Arial, sans-serif; }"
    )
    return f"@page {{ {boxes} }}\n"


def css_string(text: str) -> str:
    """A CSS string in which nothing but ASCII letters and digits stands for itself."""
    inside = "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x} " for c in text)
    return f'"{inside}"'
