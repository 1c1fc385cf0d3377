"""What became of each row of a batch while it is being decided."""

from dataclasses import dataclass, field

from migrate.core.flow import Fate
from migrate.core.reasons import Reason


@dataclass(slots=True)
class Account:
    """Fate, rule, reason and place by row number; a row is decided once.

    A row that is to be replayed may still be quarantined, or archived because everything
    it would bring has been delivered.
    """

    rows: int
    fates: list[Fate | None] = field(init=False)
    rules: list[str | None] = field(init=False)
    reasons: list[str | None] = field(init=False)
    places: list[str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.fates = [None] * self.rows
        self.rules = [None] * self.rows
        self.reasons = [None] * self.rows
        self.places = [None] * self.rows

    def decide(self, row: int, fate: Fate, rule: str | None) -> None:
        """A fate rule has matched."""
        self.fates[row] = fate
        self.rules[row] = rule
        if fate == "quarantined":
            self.reasons[row], self.places[row] = Reason.RULE.value, rule

    def quarantine(self, row: int, reason: Reason | str, place: str | None = None) -> None:
        """The row cannot be mapped or decided; the rule that decided before stays known."""
        self.fates[row] = "quarantined"
        self.reasons[row] = str(reason)
        self.places[row] = place

    def undecided(self) -> list[int]:
        """Rows without a fate, in order."""
        return [row for row, fate in enumerate(self.fates) if fate is None]

    def having(self, fate: Fate) -> list[int]:
        """Rows of a fate, in order."""
        return [row for row, each in enumerate(self.fates) if each == fate]
