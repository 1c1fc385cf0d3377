"""Sound and hostile archives for the tests of spools."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
Change = Callable[[tarfile.TarInfo], None]


def zipped(files: Mapping[str, bytes], method: int = DEFLATED) -> bytes:
    """A zip archive of these files, in this order."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, data)
    return whole.getvalue()


def tarred(
    files: Mapping[str, bytes] | Iterable[tuple[str, bytes]],
    change: Change | None = None,
    format_: int = tarfile.PAX_FORMAT,
) -> bytes:
    """A tar archive of these files; `change` is made to every header."""
    pairs = files.items() if isinstance(files, Mapping) else files
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w", format=format_) as archive:
        for name, data in pairs:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return whole.getvalue()


def gzipped(data: bytes) -> bytes:
    """One gzip member, the same on every day."""
    return gzip.compress(data, mtime=0)


def of_type(kind: bytes, target: str = "../../etc/passwd") -> Change:
    """Makes a header that of a link or a device."""

    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, target, 0

    return change


def linked_zip(name: str) -> bytes:
    """A zip archive with a symbolic link, as Info-ZIP writes it."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return whole.getvalue()


def patched(data: bytes, *changes: tuple[bytes, int, bytes]) -> bytes:
    """Bytes put at a distance behind every place where a signature stands."""
    found = bytearray(data)
    for signature, distance, new in changes:
        at = found.find(signature)
        while at >= 0:
            found[at + distance : at + distance + len(new)] = new
            at = found.find(signature, at + 1)
    return bytes(found)


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def encrypted_zip(files: Mapping[str, bytes]) -> bytes:
    """The flag that says so; the bytes are what they are."""
    return patched(zipped(files), (LOCAL, 6, b"\x01\x00"), (CENTRAL, 8, b"\x01\x00"))


def overlapping_zip() -> bytes:
    """Two entries of the directory over one and the same file, as a bomb has thousands."""
    data = zipped({"a.xml": b"<a/>" * 100})
    directory = data.index(CENTRAL)
    end = data.index(END)
    entry = data[directory:end]
    twice = entry + entry.replace(b"a.xml", b"b.xml")
    tail = struct.pack("<4s4H2LH", END, 0, 0, 2, 2, len(twice), directory, 0)
    return data[:directory] + twice + tail


def bomb(size: int) -> bytes:
    """Zeros, deflated a thousandfold; made without holding them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    pieces = [packer.compress(piece) for _ in range(size >> 20)]
    return b"".join(pieces) + packer.flush()
