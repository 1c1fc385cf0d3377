"""The plan of the sample estate: shipped as it is, but for counts that depend on the estate."""

import re
from importlib.resources import files
from pathlib import Path

from migrate.sample.manifest import Manifest
from migrate.sample.spool import write_file

_PLAN = files("migrate.sample") / "plan"
_MARK = re.compile(r"@(\w+)\.(\w+)@")


def write_plan(folder: Path, manifest: Manifest) -> None:
    """Write plan.toml, its mappings and a note about the folder.

    `@flow.fate@` and `@flow.all@` in the shipped plan become the numbers of
    messages that were made so: control totals and limits fit exactly.
    """

    def number(mark: re.Match[str]) -> str:
        fate = None if mark[2] == "all" else mark[2]
        return str(manifest.count(mark[1], fate))

    text = (_PLAN / "plan.toml.in").read_text(encoding="utf-8")
    write_file(folder / "plan.toml", _MARK.sub(number, text).encode())
    for mapping in (_PLAN / "maps").iterdir():
        write_file(folder / "maps" / mapping.name, mapping.read_bytes())
    write_file(folder / "README.txt", (_PLAN / "README.txt").read_bytes())
