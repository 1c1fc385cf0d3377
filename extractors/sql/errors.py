"""Drivers' errors into ours: class and remedy, never the driver's text.

A driver's text may hold row values (`invalid input syntax for type integer:
"…"`) or the connection's; only its code goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from extractors.sql.codes import codes, kind_of
from migrate.core.errors import LegacyUnreadable

_HINTS = {
    "locked": "another program holds the database; stop it, or read a copy",
    "missing": "check the store's url",
    "refused": "check that the server runs and that this machine may reach it",
    "starting": "wait until the server takes connections, then run the same command again",
    "credentials": "check the account and its password",
    "rights": "grant this account SELECT on what the plan reads",
    "gone": "the table or column is not there; run isb-migrate check",
    "slow": "raise limits.statement_timeout_s, or add an index on the flow's order and key",
    "conflict": "read when the store is quieter; on a standby raise max_standby_streaming_delay",
    "cut": "run the same command again when the server is back: it goes on where it was",
    "damaged": "the file is no database, or is damaged; read a sound copy",
    "busy": "raise limits.sessions",
    "driver": "name an ODBC driver that odbcinst -q -d lists",
}
_WHAT = {
    "locked": "is locked",
    "missing": "is not there",
    "refused": "cannot be reached",
    "starting": "is starting or stopping",
    "credentials": "refuses the account",
    "rights": "lets this account not read what the plan names",
    "gone": "lacks a table or column",
    "slow": "took longer than the statement timeout",
    "conflict": "cancelled the reading in favour of its own changes",
    "cut": "ended the connection",
    "damaged": "is no readable database",
    "busy": "has no session left",
    "driver": "names an ODBC driver that is not installed",
}
_BY_TEXT = {
    "database is locked": "locked",
    "database table is locked": "locked",
    "unable to open": "missing",
    "failed to open": "missing",
    "no such table": "gone",
    "no such column": "gone",
    "not a database": "damaged",
    "malformed": "damaged",
    "encrypted": "damaged",
    "can't open lib": "driver",
    "conflict with recovery": "conflict",
    "statement timeout": "slow",
    "server closed the connection": "cut",
    "terminating connection": "cut",
    "connection has been lost": "cut",
    "lost synchronization": "cut",
    "connection is closed": "cut",
    "no connection to the server": "cut",
    "could not connect": "refused",
    "connection refused": "refused",
    "authentication failed": "credentials",
}


class StoreError(LegacyUnreadable):
    """What a database refused, by the `kind` that says what to do: a key of _WHAT, or None."""

    def __init__(self, message: str, *, hint: str | None, kind: str | None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn any driver's error of this block into LegacyUnreadable naming the store."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise _unreadable(store, "busy", "") from None
    except sa.exc.DBAPIError as error:
        cut = error.connection_invalidated
        raise unreadable(store, error.orig or error, cut=cut) from None
    except sa.exc.SQLAlchemyError as error:
        raise _unreadable(store, None, type(error).__name__) from None
    except Exception as error:
        if not _is_driver_error(error):
            raise
        raise unreadable(store, error) from None


def unreadable(store: str, error: BaseException, *, cut: bool = False) -> StoreError:
    """What a driver's error means to the operator; `cut`: the connection is known to be gone."""
    found = codes(error)
    kind = kind_of(found) or _by_text(str(error).lower())
    if cut and kind in (None, "refused"):
        kind = "cut"
    return _unreadable(store, kind, found[0] if found else type(error).__name__)


def _by_text(text: str) -> str | None:
    return next((kind for known, kind in _BY_TEXT.items() if known in text), None)


def _unreadable(store: str, kind: str | None, code: str) -> StoreError:
    what = _WHAT.get(kind or "", "cannot be read as the plan says")
    suffix = f" ({code})" if code else ""
    hint = _HINTS.get(kind or "")
    return StoreError(f'store "{store}" {what}{suffix}', hint=hint, kind=kind)


_DRIVERS = ("adbc_driver_manager", "arrow_odbc", "oracledb", "pyodbc", "ibm_db_dbi")


def _is_driver_error(error: BaseException) -> bool:
    """An exception of a driver that is used without SQLAlchemy, without importing one."""
    return any(base.__module__.startswith(_DRIVERS) for base in type(error).__mro__)
