"""Windows that were offered and never answered: the bus is asked, else the off-ramp decides."""

from collections.abc import Callable

import pyarrow as pa

from migrate.core.errors import CouldNotVerify
from migrate.core.progress import Progress
from migrate.core.window import Window
from migrate.run.bus import Bus
from migrate.run.loadlog import AS_BEFORE, CONFIRMED, IN_DOUBT, OPEN, Intent, LoadLog
from migrate.run.stop import Stop
from migrate.run.windows import LaneDeliveries

Settled = tuple[str, list[str | None]]
"""Outcome and bus position of each delivery in doubt."""


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
        doubtful = log.doubts(intent)
        flow, batch, lane = intent.place
        deliveries = LaneDeliveries(messages(flow, batch), lane, run_id, bus.expiries)
        window = _offered(intent, doubtful, deliveries)
        _write_down(log, intent, doubtful, _ask(bus, window, intent.mark), progress)


def _offered(intent: Intent, doubtful: list[int], deliveries: LaneDeliveries) -> Window:
    """What is in doubt of a window, out of the messages it was made of."""
    ordinals = [intent.ordinals[place] for place in doubtful]
    if not ordinals or max(ordinals) < len(deliveries):
        window = deliveries.window(ordinals)
        offered = [(intent.destinations[place], intent.ids[place]) for place in doubtful]
        if offered == list(zip(window.destinations, window.message_ids, strict=True)):
            return window
    flow, batch, _ = intent.place
    raise CouldNotVerify(
        f"batch {batch} of flow {flow} does not hold what was offered to the bus",
        hint="put back true copies of ledger.db, messages/ and receipts/load.log",
    )


def _ask(bus: Bus, window: Window, mark: str | None) -> Settled:
    answers = bus.publisher.resolve(window, mark, bus.positions)
    if answers is None:
        again = (OPEN if bus.may_repeat(to) else IN_DOUBT for to in window.destinations)
        return "".join(again), [None] * len(window)
    outcomes = "".join(CONFIRMED if here else OPEN for here in answers.confirmed)
    positions = zip(answers.confirmed, answers.positions, strict=True)
    return outcomes, [position if here else None for here, position in positions]


def _write_down(
    log: LoadLog, intent: Intent, doubtful: list[int], settled: Settled, progress: Progress
) -> None:
    outcomes = [AS_BEFORE] * len(intent)
    positions: list[str | None] = [None] * len(intent)
    for place, outcome, position in zip(doubtful, *settled, strict=True):
        outcomes[place], positions[place] = outcome, position
    log.receive(intent, "".join(outcomes), positions)
    progress.note(
        f"window {intent.window} was in doubt: {outcomes.count(CONFIRMED)} on the bus, "
        f"{outcomes.count(OPEN)} to be published, {outcomes.count(IN_DOUBT)} still in doubt"
    )
