"""Drivers' errors into ours: class and remedy, never the driver's text.

A driver's text may hold row values (`invalid input syntax for type integer:
"…"`) or the connection's; only its code goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from migrate.core.errors import LegacyUnreadable

_HINTS = {
    "locked": "another program holds the database; stop it, or read a copy",
    "missing": "check the store's url",
    "refused": "check that the server runs and that this machine may reach it",
    "credentials": "check the account and its password",
    "rights": "grant this account SELECT on what the plan reads",
    "gone": "the table or column is not there; run isb-migrate check",
    "slow": "raise limits.statement_timeout_s, or add an index on the flow's order and key",
    "damaged": "the file is no database, or is damaged; read a sound copy",
    "busy": "raise limits.sessions",
}
_WHAT = {
    "locked": "is locked",
    "missing": "is not there",
    "refused": "cannot be reached",
    "credentials": "refuses the account",
    "rights": "lets this account not read what the plan names",
    "gone": "lacks a table or column",
    "slow": "took longer than the statement timeout",
    "damaged": "is no readable database",
    "busy": "has no session left",
}
_BY_STATE = {
    "08": "refused",
    "28": "credentials",
    "3D": "missing",
    "42501": "rights",
    "42P01": "gone",
    "42703": "gone",
    "3F000": "gone",
    "57014": "slow",
    "55P03": "locked",
}
_BY_NUMBER = {
    1044: "rights",
    1045: "credentials",
    1049: "missing",
    1054: "gone",
    1142: "rights",
    1143: "rights",
    1146: "gone",
    1205: "locked",
    1698: "credentials",
    1969: "slow",
    2002: "refused",
    2003: "refused",
    3024: "slow",
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
    "could not connect": "refused",
    "connection refused": "refused",
    "authentication failed": "credentials",
}


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Turn any driver's error of this block into LegacyUnreadable naming the store."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise _unreadable(store, "busy", "") from None
    except sa.exc.DBAPIError as error:
        raise unreadable(store, error.orig or error) from None
    except sa.exc.SQLAlchemyError as error:
        raise _unreadable(store, None, type(error).__name__) from None
    except Exception as error:
        if not _is_driver_error(error):
            raise
        raise unreadable(store, error) from None


def unreadable(store: str, error: BaseException) -> LegacyUnreadable:
    """What a driver's error means to the operator."""
    state = getattr(error, "sqlstate", None) or ""
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    kind = (
        _BY_STATE.get(state)
        or _BY_STATE.get(state[:2])
        or (_BY_NUMBER.get(number) if number is not None else None)
        or _by_text(str(error).lower())
    )
    name = getattr(error, "sqlite_errorname", None)
    return _unreadable(store, kind, str(state or name or number or type(error).__name__))


def _by_text(text: str) -> str | None:
    return next((kind for known, kind in _BY_TEXT.items() if known in text), None)


def _unreadable(store: str, kind: str | None, code: str) -> LegacyUnreadable:
    what = _WHAT.get(kind or "", "cannot be read as the plan says")
    suffix = f" ({code})" if code else ""
    return LegacyUnreadable(f'store "{store}" {what}{suffix}', hint=_HINTS.get(kind or ""))


def _is_driver_error(error: BaseException) -> bool:
    """An exception of an ADBC driver, without importing one."""
    return any(base.__module__.startswith("adbc_driver_manager") for base in type(error).__mro__)
