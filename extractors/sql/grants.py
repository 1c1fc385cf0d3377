"""What Oracle, SQL Server and Db2 are asked for the tables an account could change.

Built from the manuals' chapters on catalogue views. Each statement gives a row
per table: its name, and the rights that write. Oracle and Db2 answer for the
account, its roles and everybody (PUBLIC); SQL Server answers for all at once.
"""

from extractors.sql.statement import Bound, Sql


def writable(backend: str, schema: str | None) -> Sql | None:
    """The statement for a backend; None where none is known."""
    if backend == "oracle":
        return _oracle(schema)
    if backend == "mssql":
        return _mssql(schema)
    return _db2(schema) if backend == "db2" else None


_SYSTEM_PRIVILEGES = ("INSERT", "UPDATE", "DELETE", "DROP", "ALTER")


def _oracle(schema: str | None) -> Sql:
    """Own tables, rights granted on tables and columns, and rights on any table."""
    any_table = ", ".join(f"'{right} ANY TABLE'" for right in _SYSTEM_PRIVILEGES)
    owner = Sql(
        "COALESCE(CAST(",
        Bound(_upper(schema)),
        " AS VARCHAR2(128)),",
        " SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA'))",
    )
    grantees = (
        "(SELECT USER FROM dual UNION SELECT 'PUBLIC' FROM dual"
        " UNION SELECT role FROM session_roles)"
    )
    rights = "('INSERT', 'UPDATE', 'DELETE', 'ALTER')"
    return Sql(
        "SELECT name, LISTAGG(privilege, ', ') WITHIN GROUP (ORDER BY privilege) rights FROM (",
        "SELECT table_name name, 'INSERT, UPDATE, DELETE, DROP' privilege FROM all_tables",
        " WHERE owner = USER AND owner = ",
        owner,
        " UNION SELECT table_name name, privilege FROM all_tab_privs WHERE table_schema = ",
        owner,
        f" AND privilege IN {rights} AND grantee IN {grantees}",
        " UNION SELECT table_name name, privilege FROM all_col_privs WHERE table_schema = ",
        owner,
        f" AND privilege IN {rights} AND grantee IN {grantees}",
        " UNION SELECT '*' name, privilege FROM session_privs",
        f" WHERE privilege IN ({any_table})",
        ") isb_found GROUP BY name ORDER BY name",
    )


def _mssql(schema: str | None) -> Sql:
    """By HAS_PERMS_BY_NAME, which knows roles, ownership and rights on the schema."""
    full = "QUOTENAME(s.name) + '.' + QUOTENAME(o.name)"
    table = [
        f"CASE WHEN HAS_PERMS_BY_NAME({full}, 'OBJECT', '{right}') = 1 THEN '{right}, ' ELSE '' END"
        for right in ("INSERT", "DELETE", "ALTER")
    ]
    column = (
        f"CASE WHEN HAS_PERMS_BY_NAME({full}, 'OBJECT', 'UPDATE') = 1 OR EXISTS"
        " (SELECT 1 FROM sys.columns c WHERE c.object_id = o.object_id AND"
        f" HAS_PERMS_BY_NAME({full}, 'OBJECT', 'UPDATE', c.name, 'COLUMN') = 1)"
        " THEN 'UPDATE, ' ELSE '' END"
    )
    return Sql(
        "SELECT name, LEFT(rights, LEN(rights) - 1) FROM (SELECT o.name name, ",
        " + ".join([*table, column]),
        " rights FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id",
        " WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND s.name = COALESCE(NULLIF(",
        Bound(schema or ""),
        ", ''), SCHEMA_NAME())) isb_found WHERE rights <> '' ORDER BY name",
    )


def _db2(schema: str | None) -> Sql:
    """By SYSCAT.TABAUTH and SYSCAT.DBAUTH, for the account, its groups and its roles."""
    who = (
        "(SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1"
        " UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1"
        " UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a"
        " UNION SELECT r.rolename FROM"
        " TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r)"
    )
    granted = " UNION ".join(
        f"SELECT t.tabname name, '{right}' privilege FROM syscat.tabauth t"
        f" WHERE t.tabschema = isb_schema.name AND t.grantee IN {who} AND t.{column} IN ('Y', 'G')"
        for right, column in [
            ("CONTROL", "controlauth"),
            ("INSERT", "insertauth"),
            ("UPDATE", "updateauth"),
            ("DELETE", "deleteauth"),
        ]
    )
    columns = (
        "SELECT c.tabname name, 'UPDATE' privilege FROM syscat.colauth c"
        f" WHERE c.tabschema = isb_schema.name AND c.grantee IN {who} AND c.privtype = 'U'"
    )
    database = (
        f"SELECT '*' name, 'DATAACCESS' privilege FROM syscat.dbauth d WHERE d.grantee IN {who}"
        " AND (d.dataaccessauth = 'Y' OR d.dbadmauth = 'Y')"
    )
    return Sql(
        "SELECT isb_found.name, LISTAGG(isb_found.privilege, ', ') WITHIN GROUP",
        " (ORDER BY isb_found.privilege) FROM (SELECT COALESCE(NULLIF(CAST(",
        Bound(_upper(schema) or ""),
        " AS VARCHAR(128)), ''), CURRENT_SCHEMA) name FROM sysibm.sysdummy1) isb_schema,",
        f" LATERAL ({granted} UNION {columns} UNION {database}) isb_found",
        " GROUP BY isb_found.name ORDER BY isb_found.name",
    )


def _upper(schema: str | None) -> str | None:
    """As the catalogue keeps a name that SQLAlchemy writes in lower case."""
    return schema.upper() if schema and schema == schema.lower() else schema
