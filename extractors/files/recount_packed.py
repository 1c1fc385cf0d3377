"""Small programs that find the files of a spool again, in archives too, as recount does records.

They use Python's zipfile, tarfile and gzip. A member that does not unpack counts with its packed
bytes, as it does to the readers. `FROM` and `LEFTOUT` are regular expressions of paths.
"""

PACKED = """\
import gzip, os, re, struct, tarfile, zipfile, zlib

def zipped(name):
    with zipfile.ZipFile(name) as archive, open(name, "rb") as file:
        for info in archive.infolist():
            file.seek(info.header_offset)
            head = file.read(30)
            flags, method = struct.unpack("<2H", head[6:10])
            names, extra = struct.unpack("<2H", head[26:30])
            own = file.read(names).decode("utf-8" if flags & 0x800 else "cp437", "replace")
            file.seek(extra, 1)
            data = raw = file.read(info.compress_size)
            sizes = struct.pack("<3L", info.CRC, info.compress_size, info.file_size)
            sound = not info.flag_bits & 1 and method == info.compress_type
            sound = sound and own == info.orig_filename
            sound = sound and (flags & 8 or head[14:26] == sizes or b"\\xff" * 4 in head[18:26])
            if method == 8:
                stream = zlib.decompressobj(-15)
                try:
                    data = stream.decompress(raw)
                except zlib.error:
                    sound = False
                sound = sound and stream.eof and not stream.unused_data
            sound = sound and method in (0, 8)
            sound = sound and (len(data), zlib.crc32(data)) == (info.file_size, info.CRC)
            if not info.is_dir():
                yield info.filename, data if sound else raw, bool(sound)

def members(name):
    low = name.lower()
    if low.endswith(".zip"):
        yield from zipped(name)
    elif low.endswith((".tar", ".tgz", ".tar.gz")):
        with tarfile.open(name) as archive:
            for info in archive:
                if info.isfile():
                    yield info.name, archive.extractfile(info).read(), True

def everything():
    below = [os.path.join(at, name)[2:] for at, _, names in os.walk(".") for name in names]
    for name in sorted((one for one in below if os.path.isfile(one)), key=os.fsencode):
        if any(re.fullmatch(one, name, re.S) for one in LEFTOUT):
            continue
        empty = True
        for own, data, sound in members(name):
            empty = False
            yield name + "!/" + re.sub(r"^(\\./+)+", "", own), data, sound
        if empty:
            raw = open(name, "rb").read()
            data, sound = raw, True
            if name.lower().endswith(".gz") and not name.lower().endswith(".tar.gz"):
                try:
                    data = gzip.decompress(raw)
                except (EOFError, OSError, zlib.error):
                    sound = False
            yield name, data, sound

def files():
    for name, data, sound in everything():
        if re.fullmatch(FROM, name, re.S):
            if not any(re.fullmatch(one, name, re.S) for one in LEFTOUT):
                yield name, data, sound

"""

FILES = """\
import hashlib
rows = size = 0
lines = hashlib.sha256()
for name, data, sound in files():
    rows += 1
    size += len(data)
    safe = name.replace("\\\\", "\\\\\\\\").replace("\\n", "\\\\n").replace("\\r", "\\\\r")
    mark = "\\\\" if safe != name else ""
    lines.update(f"{mark}{hashlib.sha256(data).hexdigest()}  ./{safe}\\n".encode())
print(TOTAL)
"""
