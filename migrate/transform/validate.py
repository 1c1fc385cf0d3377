"""Message bodies against the JSON Schema of their type."""

from typing import Any

import jiter
import jsonschema_rs

from migrate.core.errors import PlanError


class SchemaCheck:
    """A compiled schema; formats are checked. Raises PlanError for a text that is no schema."""

    def __init__(self, schema: str) -> None:
        try:
            self._validator = jsonschema_rs.validator_for(
                jiter.from_json(schema.encode()), validate_formats=True, offline=True
            )
        except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
            raise PlanError("is no JSON Schema") from None

    def accepts(self, document: Any) -> bool:
        """Whether a parsed body satisfies the schema."""
        return bool(self._validator.is_valid(document))

    def place(self, document: Any) -> str:
        """Where and by which keyword a body fails first: `/charges/0/code pattern`, no value.

        Names along the path are members of our own body, never a payload's.
        """
        return min(_place(error) for error in self._validator.iter_errors(document))


def _place(error: Any) -> str:
    path = "/" + "/".join(str(step) for step in error.instance_path)
    keyword = next((step for step in reversed(error.schema_path) if isinstance(step, str)), "false")
    missing = getattr(error.kind, "property", None) if keyword == "required" else None
    return " ".join(part for part in (path, keyword, missing) if part)
