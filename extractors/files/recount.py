"""Small programs that count records again with nothing but Python's standard library.

Each reads file names, separated by NUL, from standard input and prints one
number. `NAME` in upper case is replaced by a constant. They are printed in
reports, so they are short; where a file is broken they count as the readers
do: what cannot be cut is one record.
"""

_READ = """\
import sys

MARKS = {b"\\xef\\xbb\\xbf": "latin-1", b"\\xff\\xfe": "utf-16-le", b"\\xfe\\xff": "utf-16-be"}

def texts():
    for name in sys.stdin.buffer.read().split(b"\\0")[:-1]:
        data = open(name, "rb").read()
        mark = next(filter(data.startswith, MARKS), b"")
        charset = MARKS.get(mark, CHARSET)
        yield data[len(mark):].decode(charset, "surrogatepass"), charset

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
print(TOTAL)
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
print(TOTAL)
"""

_JSON = """\
import json
rows = 0
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
print(rows)
"""

_XML = """\
import sys
from xml.parsers import expat
rows = 0

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

for name in sys.stdin.buffer.read().split(b"\\0")[:-1]:
    path, spaces, found = [], [{}], 0
    parser = expat.ParserCreate(CHARSET)
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.StartDoctypeDeclHandler = refused
    try:
        parser.ParseFile(open(name, "rb"))
    except (expat.ExpatError, ValueError, LookupError):
        found += 1
    rows += found
print(rows)
"""

SCRIPTS = {
    "csv": _READ + _CSV,
    "jsonl": _READ + _LINES,
    "fixed": _READ + _LINES,
    "text": _READ + _LINES,
    "json": _READ + _JSON,
    "xml": _XML,
}
"""By record format; documents that are one record each need none."""
