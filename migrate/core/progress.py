"""What the rooms say about how far they are; showing it is the command line's business."""

from typing import Protocol


class Progress(Protocol):
    """A stage is named and has a total (None where unknown); units are messages."""

    def start(self, stage: str, total: int | None) -> None: ...

    def advance(self, stage: str, messages: int) -> None: ...

    def finish(self, stage: str) -> None: ...

    def note(self, text: str) -> None:
        """A line of news without a payload value or a secret in it."""
        ...


class Silent:
    """Says nothing."""

    def start(self, stage: str, total: int | None) -> None: ...

    def advance(self, stage: str, messages: int) -> None: ...

    def finish(self, stage: str) -> None: ...

    def note(self, text: str) -> None: ...
