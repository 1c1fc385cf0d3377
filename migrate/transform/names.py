"""SQL names: quoted so that any name is one name."""


def quoted(name: str) -> str:
    """An identifier between double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text between single quotes."""
    return "'" + text.replace("'", "''") + "'"
