"""The observed side: everything on the bus behind the run's start, by the witness's own eyes."""

from collections.abc import Iterable

import pyarrow as pa

from migrate.transform.names import literal
from reconcile.expected import prints
from reconcile.work import CONTENT, PRESENT, Advance, Work


def observe(work: Work, batches: Iterable[pa.RecordBatch], advance: Advance) -> int:
    """Publish `observed` and `observed_content` from batches in core.schema.OBSERVED; the rows.

    Raises what reading the batches raises; nothing is published then.
    """
    present = work.relation("observed", PRESENT)
    contents = work.relation("observed_content", CONTENT)
    with present, contents:
        for batch in batches:
            seen = pa.Table.from_batches([batch])
            rows = pa.array(range(present.rows, present.rows + seen.num_rows), pa.int64())
            heads = seen.column("headers").combine_chunks().cast(pa.large_string())
            bodies = seen.column("body").combine_chunks()
            seen = seen.append_column("row", rows)
            present.append(seen.append_column("print", prints(seen, heads, bodies)))
            contents.append(pa.table({"row": rows, "head": heads, "body": bodies}))
            advance(seen.num_rows)
    work.publish("observed", present)
    work.publish("observed_content", contents)
    return present.rows


def part(work: Work, counted: Iterable[str]) -> None:
    """Part `promised` into `expected`, to be found one by one, and `counted`: deliveries to
    destinations of which only the number is seen."""
    names = ", ".join(literal(name) for name in sorted(counted))
    by_number = f"destination IN ({names})" if names else "false"
    work.run(f"CREATE OR REPLACE VIEW counted AS SELECT * FROM promised WHERE {by_number}")
    work.run(f"CREATE OR REPLACE VIEW expected AS SELECT * FROM promised WHERE NOT {by_number}")


def nothing_observed(work: Work) -> None:
    """Publish both relations empty: the bus could not be read."""
    for name, schema in (("observed", PRESENT), ("observed_content", CONTENT)):
        work.keep(name, schema, iter(()))
