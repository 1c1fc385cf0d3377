"""The product's own selectors, asked over a pipe."""

import atexit
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from migrate.legacy.values import Number, Value
from tests.extractors.activemq_broker import class_path, java

SOURCE = Path(__file__).parent / "java" / "Selectors.java"


class Oracle:
    """One Java process; `ask` gives `true`, `false`, `failed` or `refused`."""

    def __init__(self) -> None:
        folder = mkdtemp(prefix="isb-selectors-")
        path = class_path()
        subprocess.run(["javac", "-cp", path, "-d", folder, str(SOURCE)], check=True)
        self._java = subprocess.Popen(
            [java(), "-XX:TieredStopAtLevel=1", "-cp", f"{path}:{folder}", SOURCE.stem],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        atexit.register(self._java.kill)

    def ask(self, selector: str, message: Mapping[str, Value]) -> str:
        parts = [_hex(selector)]
        for name, value in message.items():
            if value is not None:
                parts += [_hex(name), *_typed(value)]
        assert self._java.stdin is not None and self._java.stdout is not None
        self._java.stdin.write("\t".join(parts) + "\n")
        self._java.stdin.flush()
        return self._java.stdout.readline().strip()


@cache
def oracle() -> Oracle:
    """Started once a test session, or the test is skipped."""
    return Oracle()


def _typed(value: Value) -> tuple[str, str]:
    if isinstance(value, bool):
        return "boolean", _hex("true" if value else "false")
    if isinstance(value, Number):
        text = repr(value.value).replace("inf", "Infinity").replace("nan", "NaN")
        return value.kind, _hex(text)
    assert isinstance(value, str)
    return "string", _hex(value)


def _hex(text: str) -> str:
    return text.encode().hex()
