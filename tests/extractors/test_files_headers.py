"""The headers of records, which Arrow encodes for the digest all rows at once."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.identity import RECORD_COLUMNS, digest, encode, record_digests
from migrate.core.schema import HEADER, LEGACY

Headers = list[dict[str, str | None]] | None
texts = st.none() | st.text(max_size=3)
headers = st.none() | st.lists(
    st.fixed_dictionaries({"name": texts, "type": texts, "value": texts}), max_size=3
)


def encoded(of_row: Headers) -> bytes | None:
    if of_row is None:
        return None
    parts = [header[part] for header in of_row for part in ("name", "type", "value")]
    return encode(None if part is None else part.encode() for part in parts)


@given(st.lists(headers, max_size=6), st.integers(0, 6))
def test_headers_are_digested_by_the_letter(rows: list[Headers], start: int) -> None:
    """Each row's names, types and values in order, null apart from empty; slices too."""
    columns = {name: pa.nulls(len(rows), LEGACY.field(name).type) for name in LEGACY.names}
    columns["headers"] = pa.array(rows, pa.list_(HEADER))
    table = pa.table(columns, schema=LEGACY).slice(start)
    place = RECORD_COLUMNS.index("headers")
    expected = []
    for row in rows[start:]:
        parts: list[bytes | None] = [None] * len(RECORD_COLUMNS)
        parts[place] = encoded(row)
        expected.append(digest("isb-migrate/record/1", parts))
    assert record_digests(table).to_pylist() == expected
