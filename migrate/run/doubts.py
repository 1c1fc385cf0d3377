"""Windows that were offered and never answered: the bus is asked, else the off-ramp decides."""

from collections.abc import Callable

import pyarrow as pa

from migrate.core.errors import CouldNotVerify
from migrate.core.ports import Outgoing, Receipt
from migrate.core.progress import Progress
from migrate.run.bus import Bus
from migrate.run.loadlog import AS_BEFORE, CONFIRMED, IN_DOUBT, OPEN, Intent, LoadLog
from migrate.run.stop import Stop
from migrate.run.windows import deliveries

Settled = dict[int, tuple[str, str | None]]
"""By ordinal: the outcome and the bus position."""


def resolve_doubts(
    log: LoadLog,
    bus: Bus,
    run_id: str,
    messages: Callable[[str, int], pa.Table],
    progress: Progress,
    stop: Stop,
) -> None:
    """Settle every window in doubt as far as it can be settled, and write that down.

    `messages` gives the messages of a flow's batch. Raises BusRefused,
    Interrupted, and CouldNotVerify where the log and the messages disagree.
    """
    for intent in log.unresolved():
        stop.check()
        doubtful = {ordinal: (to, message) for ordinal, to, message in log.doubts(intent)}
        flow, batch, lane = intent.place
        stream = deliveries(messages(flow, batch), lane, run_id, doubtful)
        window = {delivery.ordinal: delivery.outgoing for delivery in stream}
        _same(intent, doubtful, window)
        settled = _ask(bus, run_id, window)
        _write_down(log, intent, settled, progress)


def _same(intent: Intent, offered: dict[int, tuple[str, str]], window: dict[int, Outgoing]) -> None:
    held = {ordinal: (one.destination, one.message_id) for ordinal, one in window.items()}
    if held != offered:
        flow, batch, _ = intent.place
        raise CouldNotVerify(
            f"batch {batch} of flow {flow} does not hold what was offered to the bus",
            hint="put back true copies of ledger.db, messages/ and receipts/load.log",
        )


def _ask(bus: Bus, run_id: str, window: dict[int, Outgoing]) -> Settled:
    answers = bus.publisher.resolve(list(window.values()), run_id, bus.positions)
    if answers is None:
        return {
            ordinal: (OPEN if bus.may_repeat(one.destination) else IN_DOUBT, None)
            for ordinal, one in window.items()
        }
    return {ordinal: _answered(answer) for ordinal, answer in zip(window, answers, strict=True)}


def _answered(answer: Receipt) -> tuple[str, str | None]:
    return (CONFIRMED, answer.bus_position) if answer.confirmed else (OPEN, None)


def _write_down(log: LoadLog, intent: Intent, settled: Settled, progress: Progress) -> None:
    every = [settled.get(ordinal, (AS_BEFORE, None)) for ordinal, _, _ in intent.deliveries]
    outcomes = "".join(outcome for outcome, _ in every)
    log.receive(intent, outcomes, [position for _, position in every])
    progress.note(
        f"window {intent.window} was in doubt: {outcomes.count(CONFIRMED)} on the bus, "
        f"{outcomes.count(OPEN)} to be published, {outcomes.count(IN_DOUBT)} still in doubt"
    )
