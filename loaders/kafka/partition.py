"""Which partition a record goes to: computed here and said to the client.

With a key it is the one that Kafka's own Java clients choose: murmur2 of the key, as
`org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey` and
`org.apache.kafka.common.utils.Utils.murmur2` have it, so that others who write under the same
keys agree with us. Without a key it is CRC-32 of the message id: spread, and the same each time.
"""

import zlib
from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_WORD = 0xFFFFFFFF


def partition_of(order_key: str | None, message_id: str, partitions: int) -> int:
    """The partition of a delivery among so many, from 0."""
    if order_key is None:
        return zlib.crc32(message_id.encode()) % partitions
    return (_murmur2(order_key.encode()) & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=65_536)
def _murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, unsigned."""
    whole = len(data) & ~3
    hashed = _SEED ^ len(data)
    for at in range(0, whole, 4):
        word = (int.from_bytes(data[at : at + 4], "little") * _M) & _WORD
        word = ((word ^ (word >> _R)) * _M) & _WORD
        hashed = ((hashed * _M) & _WORD) ^ word
    if whole < len(data):
        hashed = ((hashed ^ int.from_bytes(data[whole:], "little")) * _M) & _WORD
    hashed = ((hashed ^ (hashed >> 13)) * _M) & _WORD
    return hashed ^ (hashed >> 15)
