"""JMS message selectors, as Apache ActiveMQ reads and evaluates them.

The reference is the product itself: `SelectorParser.jj` and the classes of
`org.apache.activemq.filter`. Where it departs from JMS, so does this: `NOT` binds closer than `=`,
a comparison across types is false.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from migrate.legacy.selector.expressions import Expression, identifiers, matches
from migrate.legacy.selector.parser import parse_expression
from migrate.legacy.selector.tokens import SelectorError
from migrate.legacy.values import Message

__all__ = ["Selector", "SelectorError", "parse"]


@dataclass(frozen=True, slots=True)
class Selector:
    """A selector; `names`: the identifiers it looks at."""

    text: str
    names: frozenset[str]
    expression: Expression = field(repr=False)

    def holds(self, message: Message) -> bool:
        """Whether a message is selected: unknown is not. Raises SelectorError for a message that
        the broker could not evaluate it for."""
        return matches(self.expression, message)


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """A selector. Raises SelectorError naming the place where the broker would refuse it."""
    expression = parse_expression(text)
    return Selector(text, identifiers(expression), expression)
