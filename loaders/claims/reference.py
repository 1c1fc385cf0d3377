"""What stands on the bus for a body that lies elsewhere, and what it says of it.

The CloudEvents extension `dataref`: the body is left out, `ce_dataref` says where it is, and every
other attribute stays as it was (`content-type` and `ce_dataschema` are of the body that lies
elsewhere). The specification wants `data` and `dataref` to be one and the same, so nothing stands
in the body's place. Two attributes of our own say what the body must be like:

    ce_dataref     base of the plan, name of the claim (64 hexadecimal digits)
    ce_datadigest  sha256: and the SHA-256 of the body, hexadecimal
    ce_datalength  its bytes, decimal

https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/dataref.md
"""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any

from migrate.core.identity import encode

REF, DIGEST, LENGTH = "ce_dataref", "ce_datadigest", "ce_datalength"
_NAME = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LENGTH = re.compile(r"[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A claim as a delivery names it; `head`: the delivery's headers without the three."""

    name: str
    digest: str
    length: int
    head: str


def name_of(key: bytes, body: bytes) -> str:
    """The name of a body: keyed, so that a listing of the store tells nobody what lies there."""
    return hmac.new(key, encode((b"isb-migrate/claim/1", body)), hashlib.sha256).hexdigest()


def digest_of(body: bytes) -> str:
    """What `ce_datadigest` says of a body."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def referring(base: str, name: str, body: bytes) -> dict[str, str]:
    """The attributes that a delivery has besides."""
    return {REF: base + name, DIGEST: digest_of(body), LENGTH: str(len(body))}


def read_reference(base: str, head: str | None, body: bytes | None) -> Reference | None:
    """What a delivery refers to, None where it is no reference of ours.

    `head`: compact sorted JSON, as a bus's observer gives it; whatever is written in another way
    was not written by us, and is left as it lies. No other place than `base` is ever looked at.
    """
    if head is None or body:
        return None
    attributes = _attributes(head)
    if attributes is None:
        return None
    where, digest, length = (attributes.pop(name, None) for name in (REF, DIGEST, LENGTH))
    if not all(isinstance(value, str) for value in (where, digest, length)):
        return None
    name = where.removeprefix(base)
    whole = where.startswith(base) and _NAME.fullmatch(name)
    if not (whole and _DIGEST.fullmatch(digest) and _LENGTH.fullmatch(length)):
        return None
    return Reference(name, digest, int(length), _compact(attributes))


def _attributes(head: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(head)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) and _compact(parsed) == head else None


def _compact(attributes: dict[str, Any]) -> str:
    return json.dumps(attributes, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
