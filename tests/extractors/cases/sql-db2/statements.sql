-- a fresh connection
SET CURRENT ISOLATION = CS;
SET CURRENT LOCK TIMEOUT 60;

-- the types of a table
SELECT colname, typename
 || CASE WHEN typename IN ('CHARACTER', 'VARCHAR', 'GRAPHIC', 'VARGRAPHIC', 'BINARY', 'VARBINARY')
 THEN '(' || RTRIM(CHAR(length)) || ')'
 WHEN typename = 'DECIMAL'
 THEN '(' || RTRIM(CHAR(length)) || ', ' || RTRIM(CHAR(scale)) || ')'
 WHEN typename = 'TIMESTAMP' THEN '(' || RTRIM(CHAR(scale)) || ')'
 WHEN typename = 'DECFLOAT' THEN CASE WHEN length = 8 THEN '(16)' ELSE '(34)' END
 ELSE '' END
 || CASE WHEN codepage = 0 AND typename IN ('CHARACTER', 'VARCHAR') THEN ' FOR BIT DATA' ELSE '' END
 FROM syscat.columns WHERE tabschema = COALESCE(NULLIF(CAST(? AS VARCHAR(128)), ''), CURRENT_SCHEMA) AND tabname = CAST(? AS VARCHAR(128));
--   ["ISB", "MESSAGE"]

-- what the account may write
SELECT isb_found.name, LISTAGG(isb_found.privilege, ', ') WITHIN GROUP (ORDER BY isb_found.privilege) FROM (SELECT COALESCE(NULLIF(CAST(? AS VARCHAR(128)), ''), CURRENT_SCHEMA) name FROM sysibm.sysdummy1) isb_schema, LATERAL (SELECT t.tabname name, 'CONTROL' privilege FROM syscat.tabauth t WHERE t.tabschema = isb_schema.name AND t.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND t.controlauth IN ('Y', 'G') UNION SELECT t.tabname name, 'INSERT' privilege FROM syscat.tabauth t WHERE t.tabschema = isb_schema.name AND t.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND t.insertauth IN ('Y', 'G') UNION SELECT t.tabname name, 'UPDATE' privilege FROM syscat.tabauth t WHERE t.tabschema = isb_schema.name AND t.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND t.updateauth IN ('Y', 'G') UNION SELECT t.tabname name, 'DELETE' privilege FROM syscat.tabauth t WHERE t.tabschema = isb_schema.name AND t.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND t.deleteauth IN ('Y', 'G') UNION SELECT c.tabname name, 'UPDATE' privilege FROM syscat.colauth c WHERE c.tabschema = isb_schema.name AND c.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND c.privtype = 'U' UNION SELECT '*' name, 'DATAACCESS' privilege FROM syscat.dbauth d WHERE d.grantee IN (SELECT CAST(SESSION_USER AS VARCHAR(128)) FROM sysibm.sysdummy1 UNION SELECT 'PUBLIC' FROM sysibm.sysdummy1 UNION SELECT a.group FROM TABLE (SYSPROC.AUTH_LIST_GROUPS_FOR_AUTHID(SESSION_USER)) a UNION SELECT r.rolename FROM TABLE (SYSPROC.AUTH_LIST_ROLES_FOR_AUTHID(SESSION_USER, 'U')) r) AND (d.dataaccessauth = 'Y' OR d.dbadmauth = 'Y')) isb_found GROUP BY isb_found.name ORDER BY isb_found.name;
--   ["ISB"]

-- the population of a flow with a key
SELECT COUNT_BIG(*) FROM isb.message WHERE (state = 'NEW' -- only new ones
);
SELECT VARCHAR(i), VARCHAR(bi), CHAR(d, ISO), VARCHAR(i), VARCHAR(bi) FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d, i, bi FETCH FIRST 1 ROWS ONLY;
SELECT VARCHAR(i), VARCHAR(bi), CHAR(d, ISO), VARCHAR(i), VARCHAR(bi) FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d DESC, i DESC, bi DESC FETCH FIRST 1 ROWS ONLY;
SELECT VARCHAR(i), VARCHAR(bi) FROM isb.message JOIN (SELECT i isb_key_1, bi isb_key_2 FROM isb.message WHERE (state = 'NEW' -- only new ones
) GROUP BY i, bi HAVING COUNT(*) > 1) isb_shared ON i = isb_shared.isb_key_1 AND bi = isb_shared.isb_key_2 WHERE (state = 'NEW' -- only new ones
) FETCH FIRST 1000001 ROWS ONLY;

-- two pages of a flow with a key
SELECT CHAR(d, ISO), VARCHAR(i), VARCHAR(bi), CAST(COALESCE(BIGINT(OCTET_LENGTH(c)), 0) + COALESCE(BIGINT(OCTET_LENGTH(v)), 0) + COALESCE(BIGINT(OCTET_LENGTH(g)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cb)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(dcl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(bl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(vb)), 0) + COALESCE(OCTET_LENGTH(XMLSERIALIZE(x AS CLOB(2147483647) EXCLUDING XMLDECLARATION)), 0) AS BIGINT) FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d, i, bi FETCH FIRST 1000 ROWS ONLY;
SELECT VARCHAR(i), VARCHAR(bi), VARCHAR(de, '.'), VARCHAR(df), DOUBLE(r), DOUBLE(dou), VARCHAR(bo), CHAR(d, ISO), CHAR(t, JIS), VARCHAR_FORMAT(ts, 'YYYY-MM-DD HH24:MI:SS.FF6'), VARCHAR_FORMAT(ts0, 'YYYY-MM-DD HH24:MI:SS'), c, v, g, cb, cl, dcl, bl, vb, XMLSERIALIZE(x AS CLOB(2147483647) EXCLUDING XMLDECLARATION) FROM isb.message WHERE (state = 'NEW' -- only new ones
) AND ((d <= CAST(? AS DATE)) AND ((d < CAST(? AS DATE)) OR ((d = CAST(? AS DATE)) AND ((i < CAST(? AS INTEGER)) OR ((i = CAST(? AS INTEGER)) AND ((bi < CAST(? AS BIGINT)) OR (bi = CAST(? AS BIGINT)))))))) ORDER BY d, i, bi;
--   ["2018-02-28", "2018-02-28", "2018-02-28", "42", "42", "9223372036854775807", "9223372036854775807"]
SELECT CHAR(d, ISO), VARCHAR(i), VARCHAR(bi), CAST(COALESCE(BIGINT(OCTET_LENGTH(c)), 0) + COALESCE(BIGINT(OCTET_LENGTH(v)), 0) + COALESCE(BIGINT(OCTET_LENGTH(g)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cb)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(dcl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(bl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(vb)), 0) + COALESCE(OCTET_LENGTH(XMLSERIALIZE(x AS CLOB(2147483647) EXCLUDING XMLDECLARATION)), 0) AS BIGINT) FROM isb.message WHERE (state = 'NEW' -- only new ones
) AND (((d > CAST(? AS DATE)) OR (d IS NULL)) OR ((d = CAST(? AS DATE)) AND ((i > CAST(? AS INTEGER)) OR ((i = CAST(? AS INTEGER)) AND (bi > CAST(? AS BIGINT)))))) ORDER BY d, i, bi FETCH FIRST 1000 ROWS ONLY;
--   ["2018-02-28", "2018-02-28", "42", "42", "9223372036854775807"]

-- who has had the messages of a page
WITH isb_delivered (isb_key_1, isb_key_2, isb_endpoint) AS (
SELECT i, bi, endpoint FROM delivery WHERE acked = 1
) SELECT VARCHAR(i), VARCHAR(bi), VARCHAR(isb_delivered.isb_endpoint) FROM isb.message JOIN isb_delivered ON isb.message.i = isb_delivered.isb_key_1 AND isb.message.bi = isb_delivered.isb_key_2 WHERE (1=0);

-- keys that are shared
SELECT VARCHAR(i), VARCHAR(bi) FROM isb.message JOIN (SELECT i isb_key_1, bi isb_key_2 FROM isb.message WHERE (state = 'NEW' -- only new ones
) GROUP BY i, bi HAVING COUNT(*) > 1) isb_shared ON i = isb_shared.isb_key_1 AND bi = isb_shared.isb_key_2 WHERE (state = 'NEW' -- only new ones
) FETCH FIRST 1000001 ROWS ONLY;

-- behind and up to a key of INTEGER
SELECT VARCHAR(i) FROM isb.message WHERE (i > CAST(? AS INTEGER)) ORDER BY i;
--   ["42"]
SELECT VARCHAR(i) FROM isb.message WHERE (i <= CAST(? AS INTEGER)) ORDER BY i;
--   ["42"]

-- behind and up to a key of BIGINT
SELECT VARCHAR(bi) FROM isb.message WHERE (bi > CAST(? AS BIGINT)) ORDER BY bi;
--   ["9223372036854775807"]
SELECT VARCHAR(bi) FROM isb.message WHERE (bi <= CAST(? AS BIGINT)) ORDER BY bi;
--   ["9223372036854775807"]

-- behind and up to a key of DECIMAL(31, 10)
SELECT VARCHAR(de, '.') FROM isb.message WHERE (de > CAST(? AS DECIMAL(31, 10))) ORDER BY de;
--   ["1234567890.1234567890"]
SELECT VARCHAR(de, '.') FROM isb.message WHERE (de <= CAST(? AS DECIMAL(31, 10))) ORDER BY de;
--   ["1234567890.1234567890"]

-- behind and up to a key of DECFLOAT(34)
SELECT VARCHAR(df) FROM isb.message WHERE (df > CAST(? AS DECFLOAT(34))) ORDER BY df;
--   ["1.10"]
SELECT VARCHAR(df) FROM isb.message WHERE (df <= CAST(? AS DECFLOAT(34))) ORDER BY df;
--   ["1.10"]

-- behind and up to a key of REAL
SELECT DOUBLE(r) FROM isb.message WHERE (r > CAST(? AS REAL)) ORDER BY r;
--   ["1.5"]
SELECT DOUBLE(r) FROM isb.message WHERE (r <= CAST(? AS REAL)) ORDER BY r;
--   ["1.5"]

-- behind and up to a key of DOUBLE
SELECT DOUBLE(dou) FROM isb.message WHERE (dou > CAST(? AS DOUBLE)) ORDER BY dou;
--   ["-0.1"]
SELECT DOUBLE(dou) FROM isb.message WHERE (dou <= CAST(? AS DOUBLE)) ORDER BY dou;
--   ["-0.1"]

-- behind and up to a key of BOOLEAN
SELECT VARCHAR(bo) FROM isb.message WHERE (bo > CAST(? AS BOOLEAN)) ORDER BY bo;
--   ["TRUE"]
SELECT VARCHAR(bo) FROM isb.message WHERE (bo <= CAST(? AS BOOLEAN)) ORDER BY bo;
--   ["TRUE"]

-- behind and up to a key of DATE
SELECT CHAR(d, ISO) FROM isb.message WHERE (d > CAST(? AS DATE)) ORDER BY d;
--   ["2018-02-28"]
SELECT CHAR(d, ISO) FROM isb.message WHERE (d <= CAST(? AS DATE)) ORDER BY d;
--   ["2018-02-28"]

-- behind and up to a key of TIME
SELECT CHAR(t, JIS) FROM isb.message WHERE (t > CAST(? AS TIME)) ORDER BY t;
--   ["01:30:00"]
SELECT CHAR(t, JIS) FROM isb.message WHERE (t <= CAST(? AS TIME)) ORDER BY t;
--   ["01:30:00"]

-- behind and up to a key of TIMESTAMP(6)
SELECT VARCHAR_FORMAT(ts, 'YYYY-MM-DD HH24:MI:SS.FF6') FROM isb.message WHERE (ts > TIMESTAMP_FORMAT(CAST(? AS VARCHAR(40)), 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ts;
--   ["2018-03-25 01:30:00.123456"]
SELECT VARCHAR_FORMAT(ts, 'YYYY-MM-DD HH24:MI:SS.FF6') FROM isb.message WHERE (ts <= TIMESTAMP_FORMAT(CAST(? AS VARCHAR(40)), 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ts;
--   ["2018-03-25 01:30:00.123456"]

-- behind and up to a key of TIMESTAMP(0)
SELECT VARCHAR_FORMAT(ts0, 'YYYY-MM-DD HH24:MI:SS') FROM isb.message WHERE (ts0 > TIMESTAMP_FORMAT(CAST(? AS VARCHAR(40)), 'YYYY-MM-DD HH24:MI:SS')) ORDER BY ts0;
--   ["2018-03-25 01:30:00"]
SELECT VARCHAR_FORMAT(ts0, 'YYYY-MM-DD HH24:MI:SS') FROM isb.message WHERE (ts0 <= TIMESTAMP_FORMAT(CAST(? AS VARCHAR(40)), 'YYYY-MM-DD HH24:MI:SS')) ORDER BY ts0;
--   ["2018-03-25 01:30:00"]

-- behind and up to a key of CHARACTER(5)
SELECT c FROM isb.message WHERE (c > CAST(? AS CHARACTER(5))) ORDER BY c;
--   ["ab   "]
SELECT c FROM isb.message WHERE (c <= CAST(? AS CHARACTER(5))) ORDER BY c;
--   ["ab   "]

-- behind and up to a key of VARCHAR(20)
SELECT v FROM isb.message WHERE (v > CAST(? AS VARCHAR(20))) ORDER BY v;
--   ["naïve ☃"]
SELECT v FROM isb.message WHERE (v <= CAST(? AS VARCHAR(20))) ORDER BY v;
--   ["naïve ☃"]

-- behind and up to a key of VARCHAR(20) FOR BIT DATA
SELECT cb FROM isb.message WHERE (cb > CAST(HEXTORAW(CAST(? AS VARCHAR(4))) AS VARBINARY(2))) ORDER BY cb;
--   ["00ff"]
SELECT cb FROM isb.message WHERE (cb <= CAST(HEXTORAW(CAST(? AS VARCHAR(4))) AS VARBINARY(2))) ORDER BY cb;
--   ["00ff"]

-- a pass over a table without a key
SELECT CAST(MAX(COALESCE(BIGINT(OCTET_LENGTH(c)), 0) + COALESCE(BIGINT(OCTET_LENGTH(v)), 0) + COALESCE(BIGINT(OCTET_LENGTH(g)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cb)), 0) + COALESCE(BIGINT(OCTET_LENGTH(vb)), 0)) AS BIGINT) FROM isb.message WHERE 1=1;
SELECT VARCHAR(i), VARCHAR(bi), VARCHAR(de, '.'), VARCHAR(df), DOUBLE(r), DOUBLE(dou), VARCHAR(bo), CHAR(d, ISO), CHAR(t, JIS), VARCHAR_FORMAT(ts, 'YYYY-MM-DD HH24:MI:SS.FF6'), VARCHAR_FORMAT(ts0, 'YYYY-MM-DD HH24:MI:SS'), c, v, g, cb, vb FROM isb.message WHERE 1=1 ORDER BY i, bi, de, df, r, dou, bo, d, t, ts, ts0, c, HASH_SHA256(c), v, HASH_SHA256(v), g, HASH_SHA256(g), cb, HASH_SHA256(cb), vb, HASH_SHA256(vb);

-- claims of two flows
SELECT CAST(isb_flow_1 + isb_flow_2 AS BIGINT), CAST(COUNT_BIG(*) AS BIGINT), SUM(CAST(isb_flow_1 AS BIGINT)), SUM(CAST(isb_flow_2 AS BIGINT)) FROM (SELECT CASE WHEN (state = 'NEW'
) THEN 1 ELSE 0 END isb_flow_1, 1 isb_flow_2 FROM isb.message) isb_claims GROUP BY isb_flow_1 + isb_flow_2;

-- the inventory
SELECT COUNT_BIG(*) FROM isb.message;
SELECT COUNT_BIG(*) FROM isb.message;
SELECT CAST(COALESCE(SUM(COALESCE(BIGINT(OCTET_LENGTH(c)), 0) + COALESCE(BIGINT(OCTET_LENGTH(v)), 0) + COALESCE(BIGINT(OCTET_LENGTH(g)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cb)), 0) + COALESCE(BIGINT(OCTET_LENGTH(cl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(dcl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(bl)), 0) + COALESCE(BIGINT(OCTET_LENGTH(vb)), 0) + COALESCE(OCTET_LENGTH(XMLSERIALIZE(x AS CLOB(2147483647) EXCLUDING XMLDECLARATION)), 0)), 0) AS BIGINT) FROM isb.message;
SELECT CHAR(MIN(d), ISO), CHAR(MAX(d), ISO) FROM isb.message;

-- a reference table
SELECT code, meaning FROM codes
;
WITH isb_query (isb_1, isb_2) AS (
SELECT code, meaning FROM codes
) SELECT VARCHAR(isb_1), VARCHAR(isb_2) FROM isb_query;

