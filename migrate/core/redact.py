"""Keyed pseudonyms: equal values stay equal in every run of a namespace, and nothing else shows.

HMAC-SHA-256 under a key that never lies in a run folder: an unkeyed digest of
a number plate is guessed in a second. One key file a namespace, in the folder
named by ISB_MIGRATE_KEYS or in ~/.config/isb-migrate/keys, made on first use.
"""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path

from migrate.core.durable import private_folder, sync_folder
from migrate.core.errors import UsageError
from migrate.core.identity import encode

FOLDER_VARIABLE = "ISB_MIGRATE_KEYS"
KEY_BYTES = 32
SHOWN = 16
"""Hexadecimal digits of a pseudonym: 64 bits, ample for telling the values of a run apart."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class Pseudonyms:
    """The pseudonyms of one namespace. The key is read, or made, when the first one is asked for.

    Raises UsageError when the key folder cannot be used or the key file is damaged.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._key: bytes | None = None

    def of(self, what: str, value: str | bytes) -> str:
        """The pseudonym of a value, 16 hexadecimal digits; `what` (a column's or field's
        name) keeps equal values of different meaning apart."""
        if self._key is None:
            self._key = read_key(self._namespace)
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        message = encode((b"isb-migrate/pseudonym/1", what.encode(), data))
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()[:SHOWN]


def key_folder() -> Path:
    """Where key files lie."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path.home() / ".config" / "isb-migrate" / "keys"


def key_file(namespace: str) -> Path:
    """The key file of a namespace; one whose name suits no file goes by its digest."""
    name = namespace
    if not _FILE_NAME.fullmatch(namespace):
        name = hashlib.sha256(namespace.encode()).hexdigest()[:32]
    return key_folder() / f"{name}.key"


def read_key(namespace: str) -> bytes:
    """The 32 bytes of a namespace's key; made at random, mode 0600, where there is none."""
    path = key_file(namespace)
    try:
        if not path.exists():
            _make(path)
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise UsageError(
            f"the key {path} cannot be used ({type(error).__name__})",
            hint=f"set {FOLDER_VARIABLE} to a folder that you may write to",
        ) from None
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"the key {path} is damaged",
            hint="restore it from a copy; with a new one, reports no longer compare with old ones",
        )
    return key


def _make(path: Path) -> None:
    """Write a key so that two processes that make it at once end up with the same one."""
    private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(KEY_BYTES) + "\n")
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    sync_folder(path.parent)
