"""Publishes as the SQL bus does; answers no questions."""

import os
from collections.abc import Mapping

from loaders.sql import publish
from migrate.core.errors import BusRefused
from migrate.core.ports import Receipts
from migrate.core.window import Window

LOSE = "ISB_TEST_LOSE_WINDOW"
"""Number of the window (from 1, in this process) whose answer is lost after it has landed."""


class Publisher(publish.Publisher):
    """Loses an answer when told to."""

    in_flight = 1
    windows = 0

    def receipts(self) -> Receipts:
        receipts = super().receipts()
        self.windows += 1
        if os.environ.get(LOSE) == str(self.windows):
            raise BusRefused("the connection broke")
        return receipts

    def resolve(  # type: ignore[override]
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> None:
        return None
