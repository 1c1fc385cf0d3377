"""Mappings, schemas and the digests of reference files: beside the plan, or sealed in a run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from migrate.core.durable import file_digest
from migrate.core.errors import PlanError
from migrate.formats.catalogue import schema_text
from migrate.plan.flow_model import OutputModel


class MissingInput(Exception):
    """An input that cannot be read; `key` is the plan key that names it."""

    def __init__(self, key: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.hint = hint


def mapping_name(flow: str, output: str) -> str:
    """The sealed name of an output's mapping: `mappings/custody.footwear.sql`."""
    return f"mappings/{flow}.{output}.sql"


def schema_name(type_: str) -> str:
    """The sealed name of a type's schema: `schemas/custody-record-2.json`."""
    return f"schemas/{type_.replace('/', '-')}.json"


class Inputs(Protocol):
    """Where a plan's inputs come from. Every method may raise MissingInput."""

    def mapping(self, flow: str, output: OutputModel) -> bytes: ...

    def schema(self, output: OutputModel) -> bytes: ...

    def source(self, table: str, path: Path) -> str:
        """SHA-256 of a reference-table file, hexadecimal."""
        ...


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """Inputs beside the plan file."""

    folder: Path

    def mapping(self, flow: str, output: OutputModel) -> bytes:
        """The bytes of the mapping file, or the plan's own text."""
        if output.sql is not None:
            return output.sql.encode()
        return self._read("map", output.map or "")

    def schema(self, output: OutputModel) -> bytes:
        """The bytes of the schema file, or of the schema built in for the type."""
        if output.schema_ is not None:
            return self._read("schema", output.schema_)
        try:
            return schema_text(output.type).encode()
        except PlanError as error:
            raise MissingInput("schema", error.problem, error.hint) from None

    def source(self, table: str, path: Path) -> str:
        """The digest of the file as it is now."""
        try:
            return file_digest(path)
        except OSError as error:
            raise MissingInput("", *_unreadable(path, error)) from None

    def _read(self, key: str, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise MissingInput(key, *_unreadable(self.folder / name, error)) from None


@dataclass(frozen=True, slots=True)
class SealedInputs:
    """Inputs as a run sealed them; `root` is the run's `inputs` folder."""

    root: Path
    sources: Mapping[str, str]

    def mapping(self, flow: str, output: OutputModel) -> bytes:
        """The sealed mapping."""
        return self._read(mapping_name(flow, output.name))

    def schema(self, output: OutputModel) -> bytes:
        """The sealed schema."""
        return self._read(schema_name(output.type))

    def source(self, table: str, path: Path) -> str:
        """The digest the file had when the run sealed it."""
        try:
            return self.sources[table]
        except KeyError:
            raise MissingInput("", "was not sealed") from None

    def _read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise MissingInput("", *_unreadable(self.root / name, error)) from None


def read_sources(root: Path) -> dict[str, str]:
    """The sealed digests of reference-table files, from `sources.json`. OSError, ValueError."""
    return {str(k): str(v) for k, v in json.loads((root / "sources.json").read_bytes()).items()}


def _unreadable(path: Path, error: OSError) -> tuple[str, str]:
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist", _neighbours(path)
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder", "name the file in it"
    return f"{path} cannot be read", "see its rights"


def _neighbours(path: Path) -> str:
    """What is there instead, for a misspelt name."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}; paths start at the plan's folder"
    like = sorted(one.name for one in path.parent.iterdir() if one.suffix == path.suffix)
    if not like:
        return "paths start at the plan's folder"
    return f"in that folder: {', '.join(like[:8])}{' …' if len(like) > 8 else ''}"
