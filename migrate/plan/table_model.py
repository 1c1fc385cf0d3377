"""A table that a plan names: a file, or a query on one of its stores."""

from pydantic import Field

from migrate.plan.section import Section
from migrate.plan.words import Name, Text


class TableModel(Section):
    """Reference tables by the name under which mappings join them: `codes = "ref/codes.csv"`, or
    `codes = { store = "isb", query = "SELECT …" }`. All columns are text."""

    path: Text | None = Field(
        default=None,
        description="CSV (UTF-8, with a header record) or Parquet file. A bare text means the "
        "same.",
        examples=["ref/codes.csv"],
    )
    store: Name | None = Field(
        default=None, description="The store to ask instead.", examples=["isb"]
    )
    query: Text | None = Field(
        default=None,
        description="What to ask it: one SELECT.",
        examples=["SELECT code, label FROM isb_code"],
    )
