"""Expiry on the new bus, as an off-ramp has it."""

from datetime import datetime, timedelta
from typing import Literal

LONGEST_MS = 2**32 - 1
"""RabbitMQ closes the channel over a longer one: rabbit.hrl, MAX_EXPIRY_TIMER (49.7 days)."""

_MILLISECOND = timedelta(milliseconds=1)


def time_to_live(
    policy: Literal["absolute", "restart", "none"],
    expires: datetime | None,
    created: datetime | None,
    now: datetime,
) -> int | None:
    """Milliseconds that a message may still live on the bus; None: for ever.

    `absolute`: until the instant of old. What is past it has 0: it is expired as it arrives, and
    goes where dead letters go, unless a consumer waits for it. `restart`: as long as it was given
    when it was created; as `absolute` where nobody knows when that was.
    """
    if policy == "none" or expires is None:
        return None
    begins = created if policy == "restart" and created is not None else now
    return max(0, (expires - begins) // _MILLISECOND)
