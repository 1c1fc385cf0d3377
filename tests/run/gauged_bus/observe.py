"""Observes as the SQL bus does, and tells backlogs."""

import json
from collections.abc import Mapping
from pathlib import Path

from loaders.sql import observe
from migrate.core.flow import BusSpec, OffRampSpec


class Observer(observe.Observer):
    """The file `backlog.json` beside the bus says what waits where; nothing else can be told."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        super().__init__(spec, offramps)
        self._file = Path(spec.url.removeprefix("sqlite:///")).with_name("backlog.json")

    def backlog(self) -> Mapping[str, int | None]:
        """As the file says."""
        told: dict[str, int | None] = json.loads(self._file.read_text())
        return told
