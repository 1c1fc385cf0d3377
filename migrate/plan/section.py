"""What every table of the plan file is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the plan file: no key but the declared ones, no silent conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
