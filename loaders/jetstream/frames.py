"""A window as the bytes that go out: one HPUB a delivery, rendered by the column.

HPUB subject answer headers whole ␍␊NATS/1.0␍␊ control ␍␊ envelope ␍␊␍␊ body ␍␊
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.columns import bytes_of
from loaders.jetstream.headers import FIRST_LINE, encoded
from migrate.core.window import Window

_END = pa.scalar(b"\r\n", pa.large_binary())
_NOTHING = pa.scalar(b"", pa.large_binary())
_FIXED = len(FIRST_LINE) + 2  # the first header line, and the empty one


@dataclass(frozen=True, slots=True)
class Frames:
    """`wire`: everything that is sent, in one piece; `too_large`: places in the window of what is
    not, with the bytes that each would have."""

    wire: memoryview
    too_large: dict[int, int]


def frames(
    window: Window,
    control: Sequence[str],
    subjects: Sequence[str],
    answer: Callable[[int], str],
    max_payload: int,
) -> Frames:
    """Render a window.

    `control`: each delivery's header lines for the server, with CR LF; `answer`: the subject on
    which a delivery is answered, by its place. What has more than `max_payload` bytes, headers
    included, is left out.
    """
    envelopes = encoded(window)
    heads = pc.binary_length(envelopes).to_numpy() + np.fromiter(
        map(len, control), np.int64, len(control)
    )
    heads += _FIXED
    wholes = heads + pc.binary_length(window.bodies).to_numpy()
    first_line = FIRST_LINE.decode()
    rows = zip(subjects, control, heads.tolist(), wholes.tolist(), strict=True)
    starts = [
        f"HPUB {subject} {answer(place)} {head} {whole}\r\n{first_line}{lines}"
        for place, (subject, lines, head, whole) in enumerate(rows)
    ]
    begun = pa.array(starts, pa.large_string()).cast(pa.large_binary())
    every = pc.binary_join_element_wise(begun, envelopes, _END, window.bodies, _END, _NOTHING)
    large = np.flatnonzero(wholes > max_payload).tolist()
    if large:
        every = every.take(pa.array(np.flatnonzero(wholes <= max_payload)))
    return Frames(bytes_of(every), {place: int(wholes[place]) for place in large})
