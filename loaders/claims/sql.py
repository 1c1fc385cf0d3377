"""Claims in a table of a database, `claim(name, body, stored_at)`: the outbox's own or another."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from loaders.sql.connect import (
    WITNESS_WAITS_S,
    WRITER_WAITS_S,
    create_private_file,
    open_sqlite,
    read_only,
    server_engine,
    sqlite_file,
)
from migrate.core import durable
from migrate.core.clock import rfc3339
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BusSpec, ClaimsSpec
from migrate.core.ports import Kept

CLAIM = sa.Table(
    "claim",
    sa.MetaData(),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("body", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")),
    sa.Column("stored_at", sa.String(40)),
    mysql_engine="InnoDB",
    mysql_charset="ascii",
)

_LISTED = 1_000  # names fetched at once


class ClaimStore:
    """One table behind a SQLAlchemy URL; the same databases as the SQL bus."""

    def __init__(self, spec: ClaimsSpec) -> None:
        self._bus = BusSpec("claims", "sql", spec.url)
        self._path = sqlite_file(self._bus)
        self._engines: dict[str, sa.Engine] = {}

    def provision(self) -> None:
        """Create the table where there is none. Raises BusRefused."""
        try:
            if self._path is not None:
                create_private_file(self._path)
            CLAIM.metadata.create_all(self._engine("rw"))
        except (OSError, sa.exc.SQLAlchemyError) as error:
            raise _refused(error) from None

    def put(self, bodies: Mapping[str, bytes]) -> None:
        """Insert what is not there yet; committed when this returns. Raises BusRefused."""
        try:
            try:
                self._put(bodies)
            except sa.exc.IntegrityError:  # another run was faster
                self._put(bodies)
        except sa.exc.SQLAlchemyError as error:
            raise _refused(error) from None
        durable.made_durable("claim")

    def get(self, name: str, length: int) -> bytes | None:
        """The row's body, None where there is none of that length. Raises CouldNotVerify."""
        here = sa.and_(CLAIM.c.name == name, sa.func.length(CLAIM.c.body) == length)
        try:
            with read_only(self._engine("ro")) as connection:
                found = connection.execute(sa.select(CLAIM.c.body).where(here)).scalar()
        except sa.exc.SQLAlchemyError as error:
            raise _unreadable(error) from None
        return None if found is None else bytes(found)

    def held(self) -> Iterator[Kept]:
        """By their rows. Raises CouldNotVerify."""
        columns = (CLAIM.c.name, sa.func.length(CLAIM.c.body), CLAIM.c.stored_at)
        try:
            with read_only(self._engine("ro")) as connection:
                streamed = connection.execution_options(yield_per=_LISTED)
                for name, size, at in streamed.execute(sa.select(*columns).order_by("name")):
                    yield Kept(str(name), int(size or 0), _moment(at), str(at or ""))
        except sa.exc.SQLAlchemyError as error:
            raise _unreadable(error) from None

    def remove(self, kept: Kept) -> bool:
        """Delete its row, if that says the same as when it was listed. Raises BusRefused."""
        same = sa.and_(CLAIM.c.name == kept.name, CLAIM.c.stored_at == kept.stamp)
        try:
            with self._engine("rw").begin() as connection:
                return bool(connection.execute(sa.delete(CLAIM).where(same)).rowcount)
        except sa.exc.SQLAlchemyError as error:
            raise _refused(error) from None

    def close(self) -> None:
        """Let go of the connections."""
        while self._engines:
            self._engines.popitem()[1].dispose()

    def _put(self, bodies: Mapping[str, bytes]) -> None:
        now = rfc3339(datetime.now(UTC))
        with self._engine("rw").begin() as connection:
            for name, body in bodies.items():
                row = CLAIM.c.name == name
                there = connection.execute(sa.select(CLAIM.c.body).where(row)).one_or_none()
                values: dict[str, object] = {"stored_at": now}
                if there is None or there.body is None or bytes(there.body) != body:
                    values["body"] = body
                offered = sa.update(CLAIM).where(row).values(**values)
                # One that was there may have been removed just now.
                if there is None or not connection.execute(offered).rowcount:
                    values["body"] = body
                    connection.execute(sa.insert(CLAIM).values(name=name, **values))

    def _engine(self, mode: str) -> sa.Engine:
        """For writing (`rw`) or reading (`ro`), made when first asked for."""
        if mode not in self._engines:
            waits_s = WRITER_WAITS_S if mode == "rw" else WITNESS_WAITS_S
            path = self._path
            self._engines[mode] = (
                server_engine(self._bus, waits_s=waits_s)
                if path is None
                else sa.create_engine(
                    "sqlite://",
                    creator=lambda: open_sqlite(path, mode=mode, waits_s=waits_s),
                    poolclass=sa.pool.NullPool,
                    hide_parameters=True,
                )
            )
        return self._engines[mode]


def _moment(text: object) -> datetime | None:
    """When a row says that it was offered; None for what is no moment."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _refused(error: Exception) -> BusRefused:
    return BusRefused(
        f"the table of claims takes no bodies ({type(error).__name__})",
        hint="look at its database, the account's rights, and the largest value it takes",
    )


def _unreadable(error: Exception) -> CouldNotVerify:
    return CouldNotVerify(
        f"the table of claims cannot be read ({type(error).__name__})",
        hint="look whether its database runs, holds the table claim, and is locked by nobody",
    )
