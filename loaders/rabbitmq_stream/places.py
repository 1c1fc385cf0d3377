"""Where a delivery lies, in words: what its publisher and the witness can both tell of it.

The bus does not say in a confirmation at which offset a message came to lie. So a message of ours
bears its producer's token and its publishing id, and `token#id` is its place; whatever else lies
on a stream is at `@offset`.
"""

import secrets

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

TOKEN_BYTES = 12
_PREFIX = "isb-migrate/"
_NAME_BYTES = 255


def new_token() -> str:
    """What tells a publishing process from all others: 12 hexadecimal digits."""
    return secrets.token_hex(TOKEN_BYTES // 2)


def producer_name(run_id: str, token: str) -> str:
    """The name of a process's producers: at most 255 bytes, ending in its token."""
    room = _NAME_BYTES - len(_PREFIX) - 1 - TOKEN_BYTES
    run = run_id.encode()[:room].decode("utf-8", "ignore")
    return f"{_PREFIX}{run}/{token}"


def token_of(producer: str) -> str:
    """The token in a producer's name."""
    return producer[-TOKEN_BYTES:]


def published_at(token: str, publishing_id: int) -> str:
    """The place of a message of ours."""
    return f"{token}#{publishing_id}"


def published(tokens: pa.Array, ids: np.ndarray) -> pa.Array:
    """Places of messages of ours, string."""
    return _joined(tokens, "#", ids)


def lying(offsets: np.ndarray) -> pa.Array:
    """Places of all others, string."""
    return _joined(pa.scalar("", pa.string()), "@", offsets)


def _joined(before: pa.Array | pa.Scalar, mark: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(before, pa.array(numbers).cast(pa.string()), mark)
