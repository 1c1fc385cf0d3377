"""One process of a run that may die at a fuse (tests/crash/fused.py)."""

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).parents[2]
KILLED = -9
INTERRUPTED = 130


def call(
    folder: Path,
    plan: Path,
    fuse: str,
    *more: str,
    ends: Collection[int] = (0, INTERRUPTED, KILLED),
) -> int:
    """Its exit code, one of `ends`; runs and trace are in `folder`; `more`: engine, kind of run."""
    words = (plan, folder / "runs", folder / "trace", fuse, *more)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/crash/fused.py"), *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode in ends, done.stderr.decode()
    return done.returncode
