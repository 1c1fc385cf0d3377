"""Parsing selectors: the grammar of `SelectorParser.jj`, a function a production.

or ← and (OR and)*                     and ← equality (AND equality)*
equality ← comparison ((= | <>) comparison | IS [NOT] NULL)*
comparison ← sum ((< | <= | > | >=) sum | [NOT] LIKE text [ESCAPE text]
                  | [NOT] BETWEEN sum AND sum | [NOT] IN (text, …))*
sum ← product ((+ | -) product)*       product ← unary ((* | / | %) unary)*
unary ← + unary | - unary | NOT unary | literal | name | ( or )
"""

from collections.abc import Callable
from decimal import Decimal

from migrate.legacy.selector.expressions import (
    And,
    Arithmetic,
    Condition,
    Constant,
    Equal,
    Expression,
    Identifier,
    In,
    Like,
    Negated,
    Not,
    Or,
    Ordered,
    Truth,
)
from migrate.legacy.selector.numbers import wrapped
from migrate.legacy.selector.tokens import SelectorError, Word, Words
from migrate.legacy.values import Number

DEEPEST = 64
_CONDITIONS = (Truth, Equal, Ordered, Like, In, Not, And, Or)


def parse_expression(text: str) -> Condition:
    """The condition that a text is. Raises SelectorError."""
    parser = _Parser(text)
    found = parser.either()
    behind = parser.words.take()
    if behind.kind != "end":
        raise _unexpected(behind)
    return parser.condition(found)


class _Parser:
    def __init__(self, text: str) -> None:
        self.words = Words(text)
        self._depth = 0

    def either(self) -> Expression:
        return self._joined("or", self.both, Or)

    def both(self) -> Expression:
        return self._joined("and", self.equality, And)

    def _joined(
        self, word: str, part: Callable[[], Expression], join: type[And] | type[Or]
    ) -> Expression:
        left = part()
        while self.words.peek().kind == word:
            self.words.take()
            right = part()
            first = self.condition(left)
            parts = first.parts if isinstance(first, join) else (first,)
            left = join((*parts, self.condition(right)))
        return left

    def equality(self) -> Expression:
        left = self.comparison()
        while (sign := self.words.peek().kind) in ("=", "<>", "is"):
            self.words.take()
            if sign == "is":
                left = self._is_null(left)
            else:
                equal = _equal(left, self.comparison())
                left = equal if sign == "=" else Not(equal)
        return left

    def _is_null(self, left: Expression) -> Expression:
        negated = self.words.peek().kind == "not"
        if negated:
            self.words.take()
        self._expect("null")
        equal = Equal(left, Constant(None))
        return Not(equal) if negated else equal

    def comparison(self) -> Expression:
        left = self.sum()
        while True:
            kind = self.words.peek().kind
            if kind in ("<", "<=", ">", ">="):
                self.words.take()
                left = Ordered(kind, _ordered(left), _ordered(self.sum()))
            elif kind in ("like", "between", "in", "not"):
                left = self._tested(left)
            else:
                return left

    def _tested(self, left: Expression) -> Expression:
        word = self.words.take().kind
        negated = word == "not"
        if negated:
            word = self.words.take().kind
        if word == "like":
            like = self._like(left)
            return Not(like) if negated else like
        if word == "between":
            return self._between(left, negated=negated)
        if word == "in":
            return self._in(left, negated=negated)
        raise SelectorError("NOT stands where LIKE, BETWEEN or IN must follow it")

    def _like(self, left: Expression) -> Like:
        pattern = self._text()
        escape = None
        if self.words.peek().kind == "escape":
            self.words.take()
            escape = self._text()
            if len(escape) != 1:
                raise SelectorError("ESCAPE needs exactly one character")
        return Like(left, pattern, escape)

    def _between(self, value: Expression, *, negated: bool) -> Condition:
        low = self.sum()
        self._expect("and")
        high = self.sum()
        value = _ordered(value)
        if negated:
            return Or((Ordered("<", value, _ordered(low)), Ordered(">", value, _ordered(high))))
        return And((Ordered(">=", value, _ordered(low)), Ordered("<=", value, _ordered(high))))

    def _in(self, value: Expression, *, negated: bool) -> In:
        self._expect("(")
        texts = [self._text()]
        while self.words.peek().kind == ",":
            self.words.take()
            texts.append(self._text())
        self._expect(")")
        if not isinstance(value, Identifier):
            raise SelectorError("IN needs a name on its left")
        return In(value, frozenset(texts), negated)

    def sum(self) -> Expression:
        left = self.product()
        while self.words.peek().kind in ("+", "-"):
            sign = self.words.take().kind
            left = Arithmetic(sign, left, self.product())
        return left

    def product(self) -> Expression:
        left = self.unary()
        while self.words.peek().kind in ("*", "/", "%"):
            sign = self.words.take().kind
            left = Arithmetic(sign, left, self.unary())
        return left

    def unary(self) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SelectorError(f"it is nested more than {DEEPEST} deep")
        try:
            return self._unary()
        finally:
            self._depth -= 1

    def _unary(self) -> Expression:
        word = self.words.take()
        if word.kind == "+":
            return self.unary()
        if word.kind == "-":
            return Negated(self.unary())
        if word.kind == "not":
            return Not(self.condition(self.unary()))
        if word.kind in ("xpath", "xquery"):
            raise SelectorError(f"{word.text.upper()} looks into bodies, which is not done here")
        return self._primary(word)

    def _primary(self, word: Word) -> Expression:
        if word.kind == "(":
            inner = self.either()
            self._expect(")")
            return inner
        if word.kind == "id":
            return Identifier(word.text)
        if word.kind in _LITERALS:
            return Constant(_LITERALS[word.kind](word.text))
        raise _unexpected(word)

    def condition(self, expression: Expression) -> Condition:
        """An expression where a condition is wanted. Raises SelectorError where it is none."""
        if isinstance(expression, Identifier):
            return Truth(expression)
        if isinstance(expression, _CONDITIONS) or _is_truth(expression):
            return expression  # type: ignore[return-value]
        raise SelectorError("a value stands where a condition is wanted")

    def _text(self) -> str:
        word = self.words.take()
        if word.kind != "string":
            raise SelectorError(f"character {word.start + 1}: a text in quotes is wanted")
        return _string(word.text)

    def _expect(self, kind: str) -> None:
        word = self.words.take()
        if word.kind != kind:
            raise SelectorError(f"character {word.start + 1}: {kind.upper()} is wanted")


def _is_truth(expression: Expression) -> bool:
    return isinstance(expression, Constant) and (
        expression.value is None or isinstance(expression.value, bool)
    )


def _equal(left: Expression, right: Expression) -> Equal:
    for each in (left, right):
        if isinstance(each, Constant) and each.value is None:
            raise SelectorError("NULL cannot be compared; IS NULL asks for it")
    if isinstance(right, Constant) and _is_truth(left) and not _is_truth(right):
        raise SelectorError("TRUE or FALSE is compared with a number or a text")
    return Equal(left, right)


def _ordered(expression: Expression) -> Expression:
    """Only numbers have an order: constants of another type, and conditions, are refused."""
    if isinstance(expression, Constant) and not isinstance(expression.value, Number):
        raise SelectorError("only numbers can be compared by < and >")
    if isinstance(expression, _CONDITIONS):
        raise SelectorError("a condition cannot be compared by < and >")
    return expression


def _unexpected(word: Word) -> SelectorError:
    if word.kind == "end":
        return SelectorError("it ends too soon")
    return SelectorError(f"character {word.start + 1}: this word cannot stand here")


def _string(text: str) -> str:
    return text[1:-1].replace("''", "'")


def _decimal(text: str) -> Number:
    value = int(text.rstrip("lL"))
    if -(2**63) <= value < 2**63:
        return _integer(value)
    low = wrapped(value, 64)
    return _integer(low) if _is_small(low) else Number("decimal", Decimal(value))


def _based(base: int) -> Callable[[str], Number]:
    def read(text: str) -> Number:
        value = int(text.lower().removeprefix("0x") or "0", base)
        if value >= 2**63:
            raise SelectorError("a number is larger than 64 bits hold")
        return _integer(value)

    return read


def _integer(value: int) -> Number:
    return Number("int" if _is_small(value) else "long", value)


def _is_small(value: int) -> bool:
    return -(2**31) <= value < 2**31


_LITERALS: dict[str, Callable[[str], str | bool | Number | None]] = {
    "string": _string,
    "decimal": _decimal,
    "hex": _based(16),
    "octal": _based(8),
    "float": lambda text: Number("double", float(text)),
    "true": lambda _: True,
    "false": lambda _: False,
    "null": lambda _: None,
}
