"""Bytes messages in one queue of a live broker, which all estates of a test session share."""

import atexit
import shutil
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from migrate.core.flow import SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate
from tests.extractors import activemq_broker

QUEUE = "A"


@cache
def broker() -> activemq_broker.Broker:
    """Killed when the session ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(mkdtemp(prefix="isb-activemq-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return stack.enter_context(activemq_broker.kahadb(folder))


@contextmanager
def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    lines = "".join(f"={b64encode(body).decode()}\n" for body in bodies)
    broker().client(f"drop {QUEUE}", f"bodies {QUEUE}", given=lines)
    spec = StoreSpec("store", "activemq-browse", broker().url, options=(("statistics", "plugin"),))
    yield Estate(spec, SourceSpec("flow", "store", f"queue://{QUEUE}"))


CASES: list[Case] = [("queue", fresh, True)]
