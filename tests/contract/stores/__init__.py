"""What the contract suite needs of every kind of legacy store: one module a kind, named like it.

A dash in a kind is an underscore in its module's name, and in the name of its tests.

Each module has `CASES`, a list of `(name, fresh, needs_a_server)`, where
`fresh(folder, bodies)` is a context manager yielding an `Estate`: a store in
`folder` whose one source holds exactly these bodies, one record each, and
gives them in this order.
"""

import importlib.util
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from extractors import STORES
from migrate.core.flow import SourceSpec, StoreSpec


@dataclass(frozen=True)
class Estate:
    """A store and its one source."""

    spec: StoreSpec
    source: SourceSpec


Fresh = Callable[[Path, Sequence[bytes]], AbstractContextManager[Estate]]
Case = tuple[str, Fresh, bool]


def cases() -> list[object]:
    """A pytest parameter per case of every registered store that has a module here."""
    names = [kind.replace("-", "_") for kind in STORES]
    modules = {name: f"tests.contract.stores.{name}" for name in names}
    return [
        pytest.param(fresh, id=f"{kind}-{name}", marks=[pytest.mark.service] if service else [])
        for kind, module in modules.items()
        if importlib.util.find_spec(module)
        for name, fresh, service in importlib.import_module(module).CASES
    ]
