"""Checking an evidence pack: every byte of it against a signed manifest.

This file needs nothing but Python itself (3.9 or later), and a copy of it lies
in every pack:

    python3 verify.py [FOLDER]

`manifest.json` names every file with its size and SHA-256, and the root of a
Merkle tree over those entries (RFC 6962). `manifest.sig` is an Ed25519
signature (RFC 8032) over the manifest's bytes, `signer.pem` the public key.
A pack cannot vouch for its own key: compare the fingerprint printed at the end
with one that the signer gave you by another way.

Files that stay in the run folder because they hold people's data are named
with a keyed digest; the key stays there too. Where the pack lies in its run
folder, those files are checked as well.
"""

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Optional

MANIFEST, SIGNATURE, SIGNER = "manifest.json", "manifest.sig", "signer.pem"
SALT = ".evidence-salt"
KEPT_FOLDERS = ("inputs", "legacy", "quarantine", "reconciliation")
"""Folders of a run in which a file that the manifest does not name is a problem."""

_PEM_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: SubjectPublicKeyInfo, Ed25519


def verify_pack(path: Path) -> list[str]:
    """Everything wrong with a pack, each problem beginning with the file's path; none if intact.

    `path` is the pack's folder, or the run folder that holds it as `evidence`.
    """
    pack = path / "evidence" if (path / "evidence").is_dir() else path
    manifest_bytes = _read(pack / MANIFEST)
    if manifest_bytes is None:
        return [f"{MANIFEST}: missing or unreadable"]
    problems = _signature(pack, manifest_bytes)
    try:
        files, kept, tree = _entries(json.loads(manifest_bytes))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [*problems, f"{MANIFEST}: damaged"]
    problems += _tree(files, kept, tree)
    problems += _files(pack, files)
    return problems + _kept(pack.parent, kept)


def fingerprint(pem: bytes) -> str:
    """SHA-256 of a public key's 32 bytes, hexadecimal; ValueError for anything else."""
    return hashlib.sha256(_public_key(pem)).hexdigest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Root hash of RFC 6962 section 2.1: an odd node is promoted, never doubled."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = range(0, len(level) - 1, 2)
        above = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in pairs]
        level = above + level[len(above) * 2 :]
    return level[0]


def leaf(entry: Mapping[str, Any]) -> bytes:
    """A manifest entry as a leaf of the tree: path, size, kind of digest, digest, NUL between."""
    kind = "sha256" if "sha256" in entry else "hmac_sha256"
    parts = (str(entry["path"]), str(int(entry["bytes"])), kind, str(entry[kind]))
    return b"\x00".join(part.encode() for part in parts)


def sealed_digest(path: Path, salt: Optional[bytes] = None) -> tuple[int, str]:  # noqa: UP045
    """Size and SHA-256 of a file, keyed (HMAC) where a salt is given; read in pieces."""
    size = 0
    digest: Any = hashlib.sha256() if salt is None else hmac.new(salt, digestmod=hashlib.sha256)
    with path.open("rb") as source:
        while piece := source.read(1 << 20):
            size += len(piece)
            digest.update(piece)
    return size, digest.hexdigest()


def files_below(folder: Path) -> Iterator[str]:
    """Paths of all files (and links, which nobody follows) below a folder, sorted, with `/`."""
    found = (entry for entry in folder.rglob("*") if entry.is_symlink() or not entry.is_dir())
    yield from sorted(entry.relative_to(folder).as_posix() for entry in found)


def _entries(manifest: Any) -> tuple[list[Any], list[Any], tuple[int, str]]:
    files, kept, tree = manifest["files"], manifest["kept"], manifest["tree"]
    for entry in (*files, *kept):
        leaf(entry)
        path = PurePosixPath(entry["path"])
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError
    return files, kept, (int(tree["size"]), str(tree["root"]))


def _signature(pack: Path, manifest: bytes) -> list[str]:
    pem, signature = _read(pack / SIGNER), _read(pack / SIGNATURE)
    if pem is None or signature is None:
        return [f"{name}: missing" for name, b in ((SIGNER, pem), (SIGNATURE, signature)) if not b]
    try:
        good = ed25519_verifies(_public_key(pem), signature, manifest)
    except ValueError:
        return [f"{SIGNER}: no Ed25519 public key"]
    return [] if good else [f"{MANIFEST}: does not match {SIGNATURE} under {SIGNER}"]


def _tree(files: Iterable[Any], kept: Iterable[Any], tree: tuple[int, str]) -> list[str]:
    leaves = [leaf(entry) for entry in (*files, *kept)]
    if tree == (len(leaves), merkle_root(leaves).hex()):
        return []
    return [f"{MANIFEST}: the tree does not match its entries"]


def _files(pack: Path, files: Sequence[Any]) -> list[str]:
    named = {entry["path"] for entry in files} | {MANIFEST, SIGNATURE}
    problems = [problem for entry in files for problem in _compare(pack, entry, None)]
    strangers = (name for name in files_below(pack) if name not in named)
    return problems + [f"{name}: not in the manifest" for name in strangers]


def _kept(run: Path, kept: Sequence[Any]) -> list[str]:
    """Files that stayed in the run folder, and strangers among them; nothing where it is not."""
    salt = _read(run / SALT)
    if not salt:
        lost = (run / "baseline.json").exists()
        return [f"{SALT}: missing: files kept in the run cannot be checked"] if lost else []
    named = {entry["path"] for entry in kept}
    problems = [problem for entry in kept for problem in _compare(run, entry, salt)]
    for folder in KEPT_FOLDERS:
        names = (f"{folder}/{name}" for name in files_below(run / folder))
        problems += [f"{name}: not in the manifest" for name in names if name not in named]
    return problems


def _compare(folder: Path, entry: Mapping[str, Any], salt: Optional[bytes]) -> list[str]:  # noqa: UP045
    path = folder / entry["path"]
    if path.is_symlink() or not path.is_file():
        return [f"{entry['path']}: missing"]
    expected = (int(entry["bytes"]), str(entry["hmac_sha256" if salt else "sha256"]))
    try:
        found = sealed_digest(path, salt)
    except OSError:
        return [f"{entry['path']}: unreadable"]
    if found == expected:
        return []
    return [f"{entry['path']}: {'changed' if found[0] == expected[0] else 'changed in size'}"]


def _read(path: Path) -> Optional[bytes]:  # noqa: UP045
    try:
        return path.read_bytes() if not path.is_symlink() else None
    except OSError:
        return None


def _public_key(pem: bytes) -> bytes:
    lines = pem.decode("ascii").strip().splitlines()
    if lines[:1] != ["-----BEGIN PUBLIC KEY-----"] or lines[-1] != "-----END PUBLIC KEY-----":
        raise ValueError("no PEM")
    der = base64.b64decode("".join(lines[1:-1]), validate=True)
    if len(der) != 44 or not der.startswith(_PEM_PREFIX):
        raise ValueError("no Ed25519 key")
    return der[12:]


# Ed25519, RFC 8032 section 5.1.7. Nothing secret is computed here, so plain integers will do.

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]


def ed25519_verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 bytes) is the one of `message` under a 32-byte public key."""
    if len(signature) != 64 or len(public) != 32:
        return False
    try:
        key, commitment = _decoded(public), _decoded(signature[:32])
    except ValueError:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= _ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    factor = int.from_bytes(challenge, "little") % _ORDER
    return _same(_times(scalar, _base()), _added(commitment, _times(factor, key)))


def _base() -> _Point:
    y = 4 * pow(5, _P - 2, _P) % _P
    return _decoded(y.to_bytes(32, "little"))


def _decoded(encoded: bytes) -> _Point:
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= _P:
        raise ValueError("not canonical")
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        raise ValueError("not on the curve")
    x = _P - x if x & 1 != sign else x
    return (x, y, 1, x * y % _P)


def _added(p: _Point, q: _Point) -> _Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _added(total, point)
        point = _added(point, point)
        scalar >>= 1
    return total


def _same(p: _Point, q: _Point) -> bool:
    return not ((p[0] * q[2] - q[0] * p[2]) % _P or (p[1] * q[2] - q[1] * p[2]) % _P)


def main(arguments: Sequence[str]) -> int:
    """Print problems and the signer's fingerprint; 0 when intact, 1 otherwise."""
    pack = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    problems = verify_pack(pack)
    for problem in problems:
        sys.stdout.write(ascii(problem)[1:-1] + "\n")
    if problems:
        sys.stdout.write(f"NOT INTACT: {len(problems)} problem(s)\n")
        return 1
    pem = pack / "evidence" / SIGNER if (pack / "evidence").is_dir() else pack / SIGNER
    sys.stdout.write(f"intact; signed by {fingerprint(pem.read_bytes())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
