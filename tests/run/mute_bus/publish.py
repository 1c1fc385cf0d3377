"""Publishes as the SQL bus does; answers no questions."""

import os
from collections.abc import Mapping, Sequence

from loaders.sql import publish
from migrate.core.errors import BusRefused
from migrate.core.ports import Outgoing, Receipt

LOSE = "ISB_TEST_LOSE_WINDOW"
"""Number of the window (from 1, in this process) whose answer is lost after it has landed."""


class Publisher(publish.Publisher):
    """Loses an answer when told to."""

    windows = 0

    def publish(self, window: Sequence[Outgoing]) -> Sequence[Receipt]:
        receipts = super().publish(window)
        self.windows += 1
        if os.environ.get(LOSE) == str(self.windows):
            raise BusRefused("the connection broke")
        return receipts

    def resolve(  # type: ignore[override]
        self, window: Sequence[Outgoing], run_id: str, since: Mapping[str, str]
    ) -> None:
        return None
