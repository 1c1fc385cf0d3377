"""Proving who we are with an Ed25519 key: an nkey seed, or a credentials file (JWT and seed).

Format of keys: github.com/nats-io/nkeys (base32 of prefix, key and CRC-16/XMODEM).
"""

import base64
import binascii
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from migrate.core.errors import UsageError

_SEED, _USER = 18 << 3, 20 << 3
_PART = re.compile(r"-+BEGIN [A-Z ]+-+\s*([A-Za-z0-9_.=-]+)\s*-+END [A-Z ]+-+")


def nkey_answer(path: str, nonce: str) -> dict[str, str]:
    """What CONNECT says for a file with an nkey seed. Raises UsageError."""
    key = _key(path, _read(path).strip())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"nkey": _encoded(bytes([_USER]) + public), "sig": _signed(key, nonce)}


def credentials_answer(path: str, nonce: str) -> dict[str, str]:
    """What CONNECT says for a credentials file. Raises UsageError."""
    parts = _PART.findall(_read(path))
    if len(parts) != 2:
        raise UsageError(
            "the file named by the option credentials_file does not hold a JWT and a seed",
            hint="export it with `nsc generate creds`",
        )
    jwt, seed = parts
    return {"jwt": jwt, "sig": _signed(_key(path, seed), nonce)}


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the key file {path} cannot be read ({type(error).__name__})",
            hint="look at the options nkey_file and credentials_file of the bus",
        ) from None


def _key(path: str, seed: str) -> Ed25519PrivateKey:
    try:
        raw = base64.b32decode(seed + "=" * (-len(seed) % 8))
    except binascii.Error:
        raw = b""
    if (
        len(raw) != 36
        or raw[0] & 0xF8 != _SEED
        or binascii.crc_hqx(raw[:-2], 0) != int.from_bytes(raw[-2:], "little")
    ):
        raise UsageError(
            f"the key file {path} holds no nkey seed", hint="it begins with SU and has 58 letters"
        )
    return Ed25519PrivateKey.from_private_bytes(raw[2:-2])


def _encoded(raw: bytes) -> str:
    whole = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(whole).decode("ascii").rstrip("=")


def _signed(key: Ed25519PrivateKey, nonce: str) -> str:
    return base64.urlsafe_b64encode(key.sign(nonce.encode())).decode("ascii").rstrip("=")
