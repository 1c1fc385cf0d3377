"""How values look to a person: numbers grouped, hostile characters made visible."""

THIN = "\u202f"
"""Narrow no-break space, between groups of three digits."""

NOTHING = "\u2013"
"""What stands in a cell without a value."""


def visible(text: str) -> str:
    """The text with every control, direction and invisible character written as `\\u{202e}`.

    What remains can be printed, read aloud and copied without acting on the
    page, the terminal or the order of what stands beside it. THIN stays.
    """
    if text.isprintable():
        return text
    return "".join(letter if _shows(letter) else escaped(letter) for letter in text)


def escaped(letter: str) -> str:
    """A character by its code point: `\\u{9}`."""
    return f"\\u{{{ord(letter):x}}}"


def _shows(letter: str) -> bool:
    return letter.isprintable() or letter == THIN


def grouped(number: int) -> str:
    """1234567 as `1 234 567`, with narrow spaces that do not break."""
    return f"{number:,}".replace(",", THIN)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 finding`, `2 findings`; `many` where an s is not enough."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def clipped(text: str, length: int = 240) -> str:
    """A long text cut visibly, with its true length."""
    if len(text) <= length:
        return text
    return f"{text[:length]}… ({grouped(len(text))} characters)"


def moment(text: str | None) -> str:
    """An RFC 3339 instant for reading: `2026-03-01 22:00:00 UTC`; other texts as they are."""
    if not text:
        return NOTHING
    whole = text.replace("T", " ", 1).split(".")[0]
    for utc in ("Z", "+00:00"):
        if text.endswith(utc):
            return f"{whole.removesuffix(utc)} UTC"
    return text
