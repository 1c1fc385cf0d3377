"""Errors about files: each names the file, and says what can be done."""

import os

from migrate.core.errors import LegacyUnreadable


def changed(name: str) -> LegacyUnreadable:
    """The error for a file that is not what it was."""
    return LegacyUnreadable(
        f"{name} changed since it was counted, or while it was being read",
        hint="stop what writes to the folder, or migrate a copy of it",
    )


class RecordTooLong(LegacyUnreadable):
    """A record that is not to be held in memory."""


class PackedAndShared(LegacyUnreadable):
    """A packed file that does not unpack, of which several flows take some records each."""


def shared(name: str, problem: str) -> PackedAndShared:
    """The error for it: whose record it would be nobody can tell."""
    return PackedAndShared(
        f"{name} does not unpack ({problem}), and flows take its records by their type",
        hint="take a sound copy, or name the file in out_of_scope",
    )


def too_long(name: str, at: int, longest: int) -> RecordTooLong:
    """The error for a record that begins at a byte and goes on and on."""
    return RecordTooLong(
        f"{name}: the record that begins at byte {at:,} is longer than {longest:,} bytes",
        hint='allow more with the store\'s options = { max_record_bytes = "…" }, which takes '
        "four times that in memory, or name the file in out_of_scope",
    )


def irregular(name: str) -> LegacyUnreadable:
    """The error for what is neither a file nor a folder."""
    return LegacyUnreadable(
        f"{name} is not a regular file",
        hint="declare it in out_of_scope, or take it out of the folder",
    )


def unreadable(name: str, error: OSError) -> LegacyUnreadable:
    """The error for a file or folder that the system does not let us read."""
    why = os.strerror(error.errno) if error.errno else "cannot be read"
    return LegacyUnreadable(f"{name}: {why}", hint="see that it exists and may be read")
