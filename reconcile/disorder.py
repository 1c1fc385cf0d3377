"""Which arrivals are out of order: those outside a longest increasing subsequence. Pure."""

from bisect import bisect_right
from collections.abc import Sequence


def out_of_order(sequences: Sequence[int]) -> list[int]:
    """Places in `sequences` (in order of arrival) outside one longest subsequence that never
    falls; in ascending order. O(n log n) time, O(n) memory (patience sorting).

    Equal numbers are in order either way: one legacy message may have several messages.
    """
    tails: list[int] = []  # the lowest last number of a subsequence of each length
    ends: list[int] = []  # where that number stands
    before = [-1] * len(sequences)
    for place, number in enumerate(sequences):
        length = bisect_right(tails, number)
        before[place] = ends[length - 1] if length else -1
        tails[length : length + 1] = [number]
        ends[length : length + 1] = [place]
    kept = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        kept.add(place)
        place = before[place]
    return [place for place in range(len(sequences)) if place not in kept]
