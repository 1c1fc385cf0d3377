"""The Jinja environment of the readable formats: everything is escaped, nothing is undefined."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.page import tone
from reports.show import clipped, grouped, visible
from reports.svg import Picture

TONES = {
    "flow": "#1c2128",
    "destination": "#1c2128",
    "replayed": "#1f4e79",
    "archived": "#7b8794",
    "excluded": "#94896f",
    "quarantined": "#b4690e",
}
"""Solid bars, each at least 3:1 against white."""

TINTS = {
    "replayed": "#c3d4e4",
    "archived": "#dfe3e7",
    "excluded": "#e6e1d5",
    "quarantined": "#efd3ae",
}
"""Ribbons."""

SVG_FONT = "'Helvetica Neue', 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', Arial, sans-serif"


LONG_WORD = 26


@cache
def environment() -> Environment:
    """Autoescape always on, StrictUndefined, our filters; templates from reports/templates."""
    made = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        visible=visible,
        grouped=grouped,
        clipped=clipped,
        tone=tone,
        brief=brief,
        lines=lines,
        has_long_word=has_long_word,
    )
    made.globals.update(tones=TONES, tints=TINTS)
    return made


def flow_svg(picture: Picture, font: str = SVG_FONT) -> str:
    """The picture as a standalone SVG document."""
    return environment().get_template("flow.svg").render(picture=picture, font=font)


def brief(text: str, length: int) -> str:
    """A label cut to fit its place."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def lines(text: str) -> str:
    """Code to copy: line breaks and tabs stay, other hostile characters are made visible."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def has_long_word(value: object) -> bool:
    """Whether a cell needs leave to break inside a word."""
    return isinstance(value, str) and any(len(word) > LONG_WORD for word in value.split())
