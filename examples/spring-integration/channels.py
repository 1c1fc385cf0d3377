"""Which GROUP_KEY belongs to which channel: a CSV of the names given on the command line.

    python channels.py custody.in nfd.out store:mobile > ref/channels.csv

Spring Integration keeps a group under `UUID.nameUUIDFromBytes` of its name (UUIDConverter.java):
MD5 of the name's UTF-8 bytes with the bits of version 3, and no namespace in front of it. A
name that is a UUID already is kept. Of a queue channel declared in XML with a message store the
name is `STORE_BEAN:CHANNEL`, of a MessageGroupQueue whatever group id it was given.
"""

import csv
import hashlib
import sys
import uuid


def group_key(name: str) -> str:
    """The GROUP_KEY of a group."""
    try:
        known = uuid.UUID(name)
    except ValueError:
        known = None
    if known is not None and str(known) == name.lower():
        return str(known)
    digest = hashlib.md5(name.encode("utf-8"), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest, version=3))


def main() -> None:
    """Write the reference table."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("group_key", "channel"))
    out.writerows((group_key(name), name) for name in sys.argv[1:])


if __name__ == "__main__":
    main()
