"""Small programs that count records again with nothing but Python's standard library.

Each reads file names, separated by NUL, from standard input and prints one
number. `NAME` in upper case is replaced by a constant. They are printed in
reports, so they are short; where a file is broken they count as the readers
do: what cannot be cut is one record.
"""

from extractors.files.recount_packed import FILES, PACKED

_NAMED = """\
import sys

def files():
    for name in sys.stdin.buffer.read().split(b"\\0")[:-1]:
        yield name, open(name, "rb").read(), True

"""

_TEXTS = """\
MARKS = {b"\\xef\\xbb\\xbf": "latin-1", b"\\xff\\xfe": "utf-16-le", b"\\xfe\\xff": "utf-16-be"}
packed = []

def texts():
    for name, data, sound in files():
        if not sound:
            packed.append(len(data))
            continue
        mark = next(filter(data.startswith, MARKS), b"")
        charset = MARKS.get(mark, CHARSET)
        yield data[len(mark):].decode(charset, "surrogatepass"), charset

"""

_TOTAL = """\
rows += len(packed)
size += sum(packed)
print(TOTAL)
"""

_CSV = """\
import csv, re
csv.field_size_limit(2**31 - 1)
rows = size = 0
for text, charset in texts():
    lines = re.findall("[^\\r\\n]*(?:\\r\\n|\\r|\\n)|[^\\r\\n]+", text)
    reader = csv.reader(iter(lines), DIALECT)
    header, line = HEADER, 0
    for row in reader:
        record = "".join(lines[line:reader.line_num])
        line = reader.line_num
        if row and not header and (row[0] in TAKEN) and row[0] not in LEFT_OUT:
            rows += 1
            size += len(record.encode(charset, "surrogatepass"))
        header = header and not row
"""

_LINES = """\
import re
rows = size = 0
for text, charset in texts():
    for line in re.split(ENDING, text):
        line = line.strip(BLANKS)
        if line and line.startswith(TAKEN) and not line.startswith(LEFT_OUT):
            rows += 1
            size += len(line.encode(charset, "surrogatepass"))
"""

_JSON = """\
import json
rows = size = 0
for text, charset in texts():
    try:
        found, several = [json.loads(text, parse_constant=int)], False
        for step in STEPS:
            found = [value for value in found if value is not None or not several]
            if any(type(value) is not (list if step == "*" else dict) for value in found):
                raise ValueError
            if step == "*":
                found, several = [one for value in found for one in value], True
            else:
                found = [value.get(step) if several else value[step] for value in found]
        rows += len(found)
    except (KeyError, ValueError):
        rows += 1
"""

_XML = """\
from xml.parsers import expat
rows = size = 0
packed = []

def opened(name, attributes):
    own = {key: uri for key, uri in attributes.items() if key.split(":")[0] == "xmlns"}
    spaces.append({**spaces[-1], **own})
    prefix, colon, local = name.rpartition(":")
    uri = spaces[-1].get("xmlns" + colon + prefix, "")
    path.append(("*", name, local, "{" + uri + "}" + local))
    if len(path) == 1 and STEPS[0] not in path[0]:
        raise ValueError

def closed(name):
    global found
    if len(path) == len(STEPS) and all(step in names for step, names in zip(STEPS, path)):
        found += 1
    path.pop()
    spaces.pop()

def refused(*about):
    raise ValueError

for name, data, sound in files():
    if not sound:
        packed.append(len(data))
        continue
    path, spaces, found = [], [{}], 0
    parser = expat.ParserCreate(CHARSET)
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        found += 1
    rows += found
"""

_COUNTS = """\
import re
declared = counted = trailers = right = section = 0

def close(text):
    global declared, counted, trailers, right, section
    number = re.fullmatch("[ \\t\\r\\n]*0*([0-9]{1,15})[ \\t\\r\\n]*", text)
    declared += int(number[1]) if number else 0
    counted += section
    trailers += 1
    right += bool(number) and int(number[1]) == section
    section = 0

"""

_COUNTED = """\
if DECLARED:
    print(f"{declared}, {trailers} of {trailers} trailers right")
else:
    print(f"{counted}, {right} of {trailers} trailers right")
"""

_CSV_TRAILERS = """\
import csv
csv.field_size_limit(2**31 - 1)
for text, charset in texts():
    before = trailers
    lines = re.findall("[^\\r\\n]*(?:\\r\\n|\\r|\\n)|[^\\r\\n]+", text)
    header = HEADER
    for row in csv.reader(iter(lines), DIALECT):
        if row and not header:
            if row[0] == TRAILER:
                close(row[FIELD] if len(row) > FIELD else "")
            elif row[0] not in BESIDES:
                section += 1
        header = header and not row
    if section or trailers == before:
        close("")
"""

_FIXED_TRAILERS = """\
for text, charset in texts():
    before = trailers
    for line in re.split("\\r\\n|\\r|\\n", text):
        if line.startswith(TRAILER):
            close(line[FIELD])
        elif line and not line.startswith(BESIDES):
            section += 1
    if section or trailers == before:
        close("")
"""

_EDI = """\
OPENING = {"UNB": "UNZ", "ISA": "IEA"}
GROUP = {"UNG": "UNE", "GS": "GE"}
MESSAGE = {"UNH": "UNT", "ST": "SE"}
rows = size = 0

def blanks(text, at):
    return re.compile("[\\r\\n\\t ]*").match(text, at).end()

def count(segment, element):
    global section
    section = counts.pop()
    close(segment[:-1].split(element, 2)[1] if element in segment else "")

for text, charset in texts():
    at = done = blanks(text, 0)
    counts, closings, found = [], [], []
    try:
        while at < len(text) or closings:
            if not closings:
                begun, head = at, text[at:at + 106]
                element, free, end = "+", "?", "'"
                if head.startswith("ISA") and len(head) == 106:
                    element, free, end = head[3], "", head[105]
                    if element == end or re.search("[A-Za-z0-9]", element + end):
                        raise ValueError
                elif head.startswith("UNA") and len(head) > 9:
                    element, free, end = head[4], head[6], head[8]
                    if len({element, free, end}) < 3:
                        raise ValueError
                    free = free.strip(" \\t\\r\\n\\v\\f")
                    at = blanks(text, at + 9)
                e, f = re.escape(end), re.escape(free)
                plain = f"[^{e}]*{e}"
                segments = re.compile(f"(?:[^{e}{f}]|{f}.)*+{e}" if free else plain, re.S)
            here, match = at, segments.match(text, at)
            if not match:
                raise ValueError
            segment, at = match[0], blanks(text, match.end())
            tag = re.split("[^A-Za-z0-9]", segment[:4])[0]
            if tag in {*OPENING, *GROUP} and len(segment) > 262144:
                raise ValueError
            message = len(closings) > 0 and closings[-1] in MESSAGE.values()
            if not closings and tag in OPENING:
                closings.append(OPENING[tag])
                counts.append(0)
            elif closings and tag == closings[-1]:
                counts[-1] += message
                closings.pop()
                count(segment, element)
                if message if EACH else not closings:
                    found.append((start if EACH else begun, match.end()))
                if closings:
                    counts[-1] += 1
            elif message:
                if {tag} & {*OPENING, *OPENING.values(), *GROUP, *GROUP.values(), *MESSAGE}:
                    raise ValueError
                counts[-1] += 1
            elif closings and tag in MESSAGE:
                start = here
                closings.append(MESSAGE[tag])
                counts.append(1)
            elif len(closings) == 1 and tag in GROUP:
                closings.append(GROUP[tag])
                counts.append(0)
            elif closings and tag == "TA1":
                found += [(here, match.end())] if EACH else []
            else:
                raise ValueError
    except ValueError:
        found.append((found[-1][1] if found else 0, len(text)))
    rows += len(found)
    size += sum(len(text[i:j].encode(charset, "surrogatepass")) for i, j in found)
"""

_BY_FORMAT = {
    "csv": _TEXTS + _CSV,
    "jsonl": _TEXTS + _LINES,
    "fixed": _TEXTS + _LINES,
    "text": _TEXTS + _LINES,
    "json": _TEXTS + _JSON,
    "xml": _XML,
    "edi": _COUNTS + _TEXTS + _EDI,
}

_TRAILERS = {
    "csv": _COUNTS + _TEXTS + _CSV_TRAILERS + _COUNTED,
    "fixed": _COUNTS + _TEXTS + _FIXED_TRAILERS + _COUNTED,
    "edi": _COUNTS + _TEXTS + _EDI + _COUNTED,
}


def script(record_format: str | None, *, packed: bool, trailers: bool = False) -> str:
    """The program for a record format, or for the files themselves (None).

    `packed`: it finds the files itself, in archives too; otherwise they are named to it.
    """
    files = PACKED if packed else _NAMED
    if record_format is None:
        return files + FILES
    if trailers:
        return files + _TRAILERS[record_format]
    return files + _BY_FORMAT[record_format] + _TOTAL
