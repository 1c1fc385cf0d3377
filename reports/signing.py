"""The installation's signing key: Ed25519, outside every run, made on first use.

It lies with the keys of the pseudonyms (ISB_MIGRATE_KEYS, or
~/.config/isb-migrate/keys) as PKCS #8 in PEM, mode 0600, its public half beside it.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from migrate.core.durable import private_folder, sync_folder, write_bytes
from migrate.core.errors import UsageError
from migrate.core.redact import FOLDER_VARIABLE, key_folder

PRIVATE = "evidence-signing.pem"
PUBLIC = "evidence-signing.pub.pem"


def signing_key() -> Ed25519PrivateKey:
    """The installation's key; UsageError when it cannot be read, made or understood."""
    path = key_folder() / PRIVATE
    try:
        if not path.exists():
            _make(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UsageError(
            f"the signing key {path} cannot be used ({type(error).__name__})",
            hint=f"set {FOLDER_VARIABLE} to a folder that you may write to",
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _damaged(path) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _damaged(path)
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """The public half, PEM."""
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"the signing key {path} is no Ed25519 key",
        hint="restore it from a copy; packs signed with a new one carry another fingerprint",
    )


def _make(path: Path) -> None:
    """Write a key so that two processes that make it at once end up with the same one."""
    private_folder(path.parent)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(pem)
            out.flush()
            os.fsync(out.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()
    sync_folder(path.parent)
    kept = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if isinstance(kept, Ed25519PrivateKey):
        write_bytes(path.with_name(PUBLIC), public_pem(kept))
