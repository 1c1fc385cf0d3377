"""Do the legacy stores still hold what was sealed?"""

import pyarrow as pa

from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings
from reconcile.work import FOUND

PAIRINGS = (
    ("same", "source_key || hex(record_digest)"),
    ("changed", "legacy_id"),
    ("changed", r"CASE WHEN NOT regexp_matches(source_key, '[\[,]null[,\]]') THEN source_key END"),
    ("changed", "spot"),
)
"""What a record gone and a record come have in common, tried in turn, within a flow:

1. key and content: the same row under another id, because another row now
   claims its key, or no longer does;
2. the id; 3. the key: the content was edited;
4. without a key, the same place in the same file: it was edited there.
"""


class Source:
    """Compares (legacy_id, record_digest) as sealed and as read again, as multisets.

    Never charged to the bus: what was promised comes from the sealed segments.
    """

    name = "source"
    detects = frozenset({"source_added", "source_removed", "source_changed"})
    question = "Do the legacy stores still hold the records that were sealed, and no others?"
    blind = "A record that was changed and changed back, and columns that the plan does not read."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Compare the flows whose stores could be read again."""
        work = evidence.work
        known = sorted(evidence.derived & evidence.reread)
        spools = sorted(evidence.spools)
        work.run("source_unlike.sql", {"flows": known})
        for side, surplus in (("sealed", "source_gone"), ("present", "source_come")):
            work.run(f"CREATE OR REPLACE VIEW one_side AS FROM {side}")
            work.run("source_surplus.sql", {"spools": spools})
            work.run(f"CREATE OR REPLACE TABLE {surplus} AS FROM source_surplus")
        work.run("CREATE OR REPLACE TABLE source_pair (how VARCHAR, gone BIGINT, come BIGINT)")
        for how, shared in PAIRINGS:
            work.run(_pairing(shared), {"how": how})
        for batch in work.stream("source_findings.sql"):
            rows = [
                {
                    **row,
                    "expected": _shown(evidence, row["expected"]),
                    "observed": _shown(evidence, row["observed"]),
                }
                for row in batch.to_pylist()
            ]
            findings.extend(pa.Table.from_pylist(rows, FOUND))
        counted = "SELECT count(*) FROM sealed WHERE list_contains($flows, flow)"
        return Answer(work.rows(counted, {"flows": known})[0][0])


def _pairing(shared: str) -> str:
    """Pair what is left on both sides, nth with nth, by an expression that is null for no pair."""
    sides = " JOIN ".join(
        f"""(
            SELECT row, flow, {shared} AS shared,
                row_number() OVER (PARTITION BY flow, {shared} ORDER BY row) AS nth
            FROM source_{side} WHERE row NOT IN (SELECT p.{side} FROM source_pair p)
        ) {side}"""
        for side in ("gone", "come")
    )
    return f"""
        INSERT INTO source_pair
        SELECT $how, gone.row, come.row FROM {sides} USING (flow, shared, nth)
    """


def _shown(evidence: Evidence, digest: bytes | None) -> str:
    return "absent" if digest is None else evidence.hide("record", digest)
