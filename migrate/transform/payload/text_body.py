"""Bodies without a structure: a text taken whole, and bytes nobody looks into."""

from migrate.core.errors import PlanError
from migrate.core.flow import PayloadSpec
from migrate.transform.payload.charset import charset_of, decoded
from migrate.transform.payload.port import Body, Found, bytes_of, one_value, written


class TextReader:
    """Reads a text; the one selector is `.`, the whole of it without a byte order mark."""

    def __init__(self, spec: PayloadSpec) -> None:
        for field in spec.fields:
            one_value(field, "text")
            if field.select != ".":
                raise PlanError("a text is taken whole", key=field.name, hint='select = "."')
        self._spec = spec

    def read(self, body: Body) -> Found:
        """The text, once a field. Raises Refused."""
        data = bytes_of(body, self._spec)
        value, kind = written(decoded(data, charset_of(body, self._spec.charset)))
        many = len(self._spec.fields)
        return [value] * many, [kind] * many


class OpaqueReader:
    """Reads nothing: mappings see legacy columns only, and no body is wrong, not even none."""

    def __init__(self, spec: PayloadSpec) -> None:
        if spec.fields:
            raise PlanError(
                "an opaque body has no fields", key=spec.fields[0].name, hint="name the format"
            )

    def read(self, body: Body) -> Found:
        """No fields."""
        return [], []
