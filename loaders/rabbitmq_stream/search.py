"""Looking through the streams for a window in doubt, where no publishing id can tell."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from loaders.rabbitmq_stream.observe import Observer
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.window import Window, run_of


def search(spec: BusSpec, window: Window, since: Mapping[str, str]) -> list[str | None] | None:
    """Where each delivery of a window lies that this run has brought onto its stream, behind the
    start positions; None where a stream cannot be read from there."""
    offramps = {name: OffRampSpec(name) for name in set(window.destinations)}
    starts = {name: since.get(name, "") for name in offramps}
    wanted = pa.array(sorted(set(window.message_ids)))
    found: dict[tuple[str, str], str] = {}
    observer = Observer(spec, offramps)
    try:
        for batch in observer.observe(starts):
            here = pc.equal(batch.column("lane"), window.lane)
            rows = batch.filter(pc.and_(here, pc.is_in(batch.column("message_id"), wanted)))
            for row in rows.drop_columns(["body"]).to_pylist():
                if run_of(row["headers"]) == window.run_id:
                    found.setdefault((row["destination"], row["message_id"]), row["place"])
    except CouldNotVerify:
        return None
    return [found.get(key) for key in zip(window.destinations, window.message_ids, strict=True)]
