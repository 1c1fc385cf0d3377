"""Repeatable chance: the same rolls for the same seed on every machine and version."""

import hashlib
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


def dice(seed: int, name: str) -> Callable[[], int]:
    """A function whose calls return 64-bit numbers, one stream per seed and name.

    Only `getrandbits` of an integer-seeded generator is used: it is the part of
    `random` that is promised to stay the same. Several independent choices come
    from one roll by taking it modulo different primes.
    """
    digest = hashlib.sha256(f"{name}/{seed}".encode()).digest()
    bits = Random(int.from_bytes(digest, "big")).getrandbits

    def roll() -> int:
        return bits(64)

    return roll


def spread(whole: int, special: Sequence[Item]) -> dict[int, Item]:
    """Where special items go in a whole: place -> item, evenly and in their order.

    `whole` counts the special items too and must be larger than their number.
    """
    step = whole / (len(special) + 1)
    return {int(step * (index + 1)): item for index, item in enumerate(special)}
