"""What the spool reader says of itself."""

from migrate.core.ports import About

ABOUT = About(
    what=(
        "Files below a folder, in archives too: spools and batch drops; "
        "see [how to read one](../howto/spools.md)."
    ),
    url="the folder, such as `${PLAN_DIR}/spool`",
    from_=(
        "a glob below the folder, such as `footwear/*.xml`; `**` goes through folders, and an "
        "archive is one: `drop-*.zip!/custody/*.xml`"
    ),
    identity="path, SHA-256 of the record's exact bytes, occurrence number",
    sees=(
        (
            "whole files, XML elements, JSON documents and array elements, JSON lines, CSV records "
            "(RFC 4180 and real life), fixed-width and text lines, EDIFACT and X12 interchanges "
            "and messages: the exact bytes of each"
        ),
        (
            "files in `.zip`, `.tar`, `.tar.gz`, `.tgz`, and what a `.gz` holds, one level deep: "
            "nothing is unpacked to disk, no archive is held in memory"
        ),
        "record types by their first field, for files that carry several",
        "what trailer records and EDI envelopes count: control totals",
        "byte order marks and declared encodings, UTF-16 and UTF-32 included; how each is known",
        "what cannot be cut or unpacked: kept whole, as one record, and quarantined",
        (
            "files that change while they are read, links, hostile or unfinished archives, records "
            "longer than a limit: refused by name"
        ),
    ),
    cannot_see=(
        (
            "inside archives in archives, and `.bz2`, `.xz`, `.7z` and other kinds: files like any "
            "other"
        ),
        "what lies in a zip archive and its directory does not name",
        "EDIFACT packages (`UNO`) and interactive interchanges (`UIB`), which are kept whole; HL7",
        "`xml:lang`, `xml:space` and `xml:base` of the elements around a cut one",
        "order between files other than that of their names",
    ),
    tested=(
        "Real files of several publishers, public collections of hostile JSON, XML and CSV, "
        "archives broken in every way we know. EDI follows public descriptions of ISO 9735 and "
        "X12; no real interchange could be had."
    ),
    options=(
        ("allow_identical", '`"true"`: files of equal content are each taken as their own'),
        ("archives", '`"closed"`: archives and compressed files are files like any other'),
        (
            "max_record_bytes",
            "a longer record is refused: 268435456; reading takes four times that in memory",
        ),
        ("max_members", "an archive of more members is refused: 100000"),
        ("max_unpacked_bytes", "an archive that unpacks to more is refused: 17179869184"),
        (
            "max_ratio",
            "so is one that unpacks to more than 16 MiB and so many times its own size: 200",
        ),
    ),
)
