"""What the spool reader says of itself."""

from migrate.core.ports import About

ABOUT = About(
    what="Files below a folder: spools and batch drops.",
    url="the folder, such as `${PLAN_DIR}/spool`",
    from_="a glob below the folder, such as `footwear/*.xml`; `**` goes through folders",
    identity="path, SHA-256 of the record's exact bytes, occurrence number",
    sees=(
        (
            "whole files, XML elements, JSON documents and array elements, JSON lines, CSV records "
            "(RFC 4180 and real life), fixed-width and text lines: the exact bytes of each"
        ),
        "record types by their first field, for files that carry several",
        "byte order marks and declared encodings, UTF-16 and UTF-32 included",
        "what cannot be cut: kept whole, as one record, and quarantined",
        "files that change while they are read, and links: refused",
    ),
    cannot_see=(
        "inside archives and compressed files",
        "`xml:lang`, `xml:space` and `xml:base` of the elements around a cut one",
        "order between files other than that of their names",
    ),
    tested="Real files of several publishers, public collections of hostile JSON, XML and CSV.",
    options=(("allow_identical", '`"true"`: files of equal content are each taken as their own'),),
)
