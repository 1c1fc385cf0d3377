"""What the codes in a driver's error are, and what they mean to the operator.

Every driver carries them elsewhere: psycopg and ADBC in `sqlstate`, PyMySQL as
the first argument, pyodbc as a state and a text that ends in the vendor's number,
arrow-odbc and IBM's driver in the text alone, python-oracledb in an object.
"""

import re
from collections.abc import Iterator

_ODBC = re.compile(r"State: (?P<state>\w{5}), Native error: (?P<number>-?\d+)")
_PYODBC = re.compile(r"\((?P<number>-?\d+)\) \(SQL\w+\)")
_DB2 = re.compile(r"\b(?P<name>SQL\d{4,5})[NCW]\b|SQLSTATE=(?P<state>\w{5})")
_ORACLE = re.compile(r"\b(?:ORA|DPY|DPI)-\d{4,5}\b")


def codes(error: BaseException) -> list[str]:
    """All codes of an error, the most telling first; never any of its text."""
    return list(dict.fromkeys(code for code in _codes(error) if code))


def _codes(error: BaseException) -> Iterator[str]:
    yield str(getattr(error, "sqlstate", None) or "")
    yield str(getattr(error, "sqlite_errorname", None) or "")
    first = error.args[0] if error.args else None
    if isinstance(first, int):
        yield str(first)
    yield str(getattr(first, "full_code", None) or "")
    text = str(error)
    if isinstance(first, str) and re.fullmatch(r"\w{5}", first):
        yield first
        yield from (found["number"] for found in _PYODBC.finditer(text))
    for found in _ODBC.finditer(text):
        yield found["state"]
        yield found["number"]
    for found in _DB2.finditer(text):
        yield found["name"] or found["state"]
    yield from _ORACLE.findall(text)


def kind_of(found: list[str]) -> str | None:
    """What some codes mean, as a kind of StoreError; a SQLSTATE's class where it is not known."""
    first = [code for code in found if code in _BEFORE_STATE]
    classes = [code[:2] for code in found if len(code) == 5]
    known = (_BY_CODE.get(code) for code in [*first, *found, *classes])
    return next((kind for kind in known if kind), None)


_BY_CODE = {
    # SQLSTATE: PostgreSQL, MariaDB, Db2 and every ODBC driver
    "08": "refused",
    "08S01": "cut",
    "08003": "cut",
    "08006": "cut",
    "08007": "cut",
    "28": "credentials",
    "3D": "missing",
    "40001": "conflict",
    "40P01": "conflict",
    "42501": "rights",
    "42502": "rights",
    "42P01": "gone",
    "42703": "gone",
    "42704": "gone",
    "42S02": "gone",
    "42S22": "gone",
    "3F000": "gone",
    "53300": "busy",
    "55P03": "locked",
    "57014": "slow",
    "57033": "conflict",
    "57P01": "cut",
    "57P02": "cut",
    "57P03": "starting",
    "57P04": "missing",
    "72000": "conflict",
    "HYT00": "slow",
    "HYT01": "refused",
    "IM002": "driver",
    "IM003": "driver",
    # MariaDB and MySQL
    "1040": "busy",
    "1044": "rights",
    "1045": "credentials",
    "1049": "missing",
    "1053": "starting",
    "1054": "gone",
    "1142": "rights",
    "1143": "rights",
    "1146": "gone",
    "1205": "locked",
    "1213": "conflict",
    "1317": "slow",
    "1698": "credentials",
    "1927": "cut",
    "1969": "slow",
    "2002": "refused",
    "2003": "refused",
    "2006": "cut",
    "2013": "cut",
    "3024": "slow",
    "4031": "cut",
    "5014": "cut",
    # SQL Server (sys.messages)
    "207": "gone",
    "208": "gone",
    "229": "rights",
    "230": "rights",
    "233": "cut",
    "1222": "locked",
    "3961": "conflict",
    "4060": "missing",
    "10053": "cut",
    "10054": "cut",
    "18456": "credentials",
    "40501": "busy",
    "40613": "starting",
    # Oracle (Database Error Messages), and python-oracledb's own
    "ORA-00028": "cut",
    "ORA-00054": "locked",
    "ORA-00060": "conflict",
    "ORA-00904": "gone",
    "ORA-00942": "gone",
    "ORA-01005": "credentials",
    "ORA-01013": "slow",
    "ORA-01017": "credentials",
    "ORA-01031": "rights",
    "ORA-01033": "starting",
    "ORA-01034": "starting",
    "ORA-01045": "credentials",
    "ORA-01089": "starting",
    "ORA-01555": "conflict",
    "ORA-02391": "busy",
    "ORA-03113": "cut",
    "ORA-03114": "cut",
    "ORA-03135": "cut",
    "ORA-08177": "conflict",
    "ORA-12170": "refused",
    "ORA-12505": "missing",
    "ORA-12514": "missing",
    "ORA-12537": "cut",
    "ORA-12541": "refused",
    "ORA-22924": "conflict",
    "ORA-28000": "credentials",
    "ORA-28001": "credentials",
    "DPY-1001": "cut",
    "DPY-4011": "cut",
    "DPY-4024": "slow",
    "DPY-6000": "refused",
    "DPY-6001": "missing",
    "DPY-6003": "missing",
    "DPY-6005": "refused",
    # Db2 (SQLCODEs)
    "SQL0204": "gone",
    "SQL0206": "gone",
    "SQL0551": "rights",
    "SQL0911": "conflict",
    "SQL0913": "conflict",
    "SQL0952": "slow",
    "SQL1013": "missing",
    "SQL1224": "cut",
    "SQL30081": "refused",
    "SQL30082": "credentials",
}
_BEFORE_STATE = ("SQL30082", "SQL1013", "SQL0911")
"""Numbers that say more than the SQLSTATE they come with."""
