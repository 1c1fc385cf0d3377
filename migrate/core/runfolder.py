"""Where everything of a run lies: paths only (the outside contract of a run folder)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunFolder:
    """`root` is runs/<run-id>."""

    root: Path

    @property
    def run_id(self) -> str:
        return self.root.name

    @property
    def plan(self) -> Path:
        return self.root / "plan.toml"

    @property
    def inputs(self) -> Path:
        return self.root / "inputs"

    @property
    def baseline(self) -> Path:
        return self.root / "baseline.json"

    @property
    def summary(self) -> Path:
        return self.root / "summary.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.db"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    @property
    def bus(self) -> Path:
        return self.root / "bus.db"

    @property
    def claims(self) -> Path:
        return self.root / "claims"

    @property
    def load_log(self) -> Path:
        return self.root / "receipts" / "load.log"

    @property
    def reconciliation(self) -> Path:
        return self.root / "reconciliation"

    @property
    def report(self) -> Path:
        return self.root / "report"

    def legacy(self, flow: str, batch: int) -> Path:
        return self.root / "legacy" / flow / f"{batch:06d}.parquet"

    def messages(self, flow: str, batch: int) -> Path:
        return self.root / "messages" / flow / f"{batch:06d}.parquet"

    def receipts(self, flow: str, batch: int) -> Path:
        return self.root / "receipts" / flow / f"{batch:06d}.parquet"

    def quarantine(self, flow: str, batch: int) -> Path:
        return self.root / "quarantine" / flow / f"{batch:06d}.parquet"
