"""What is wrong with a legacy side's rules."""


class BadRules(Exception):
    """`place`: the row, binding or element it is in; the message repeats names, no values of
    messages."""

    def __init__(self, place: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint
