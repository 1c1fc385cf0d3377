-- a fresh connection
ALTER SESSION SET NLS_LANGUAGE = 'AMERICAN';
ALTER SESSION SET NLS_TERRITORY = 'AMERICA';
ALTER SESSION SET NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS';
ALTER SESSION SET NLS_TIMESTAMP_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9';
ALTER SESSION SET NLS_TIMESTAMP_TZ_FORMAT = 'YYYY-MM-DD HH24:MI:SS.FF9 TZH:TZM';
ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,';
ALTER SESSION SET NLS_SORT = 'BINARY';
ALTER SESSION SET NLS_COMP = 'BINARY';
ALTER SESSION SET TIME_ZONE = '+00:00';

-- each transaction
SET TRANSACTION READ ONLY;

-- the types of a table
SELECT column_name, data_type FROM all_tab_columns WHERE owner = COALESCE(CAST(:p1 AS VARCHAR2(128)), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND table_name = :p2;
--   {"p1": "ISB", "p2": "MESSAGE"}

-- what the account may write
SELECT name, LISTAGG(privilege, ', ') WITHIN GROUP (ORDER BY privilege) rights FROM (SELECT table_name name, 'INSERT, UPDATE, DELETE, DROP' privilege FROM all_tables WHERE owner = USER AND owner = COALESCE(CAST(:p1 AS VARCHAR2(128)), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) UNION SELECT table_name name, privilege FROM all_tab_privs WHERE table_schema = COALESCE(CAST(:p2 AS VARCHAR2(128)), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER') AND grantee IN (SELECT USER FROM dual UNION SELECT 'PUBLIC' FROM dual UNION SELECT role FROM session_roles) UNION SELECT table_name name, privilege FROM all_col_privs WHERE table_schema = COALESCE(CAST(:p3 AS VARCHAR2(128)), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND privilege IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER') AND grantee IN (SELECT USER FROM dual UNION SELECT 'PUBLIC' FROM dual UNION SELECT role FROM session_roles) UNION SELECT '*' name, privilege FROM session_privs WHERE privilege IN ('INSERT ANY TABLE', 'UPDATE ANY TABLE', 'DELETE ANY TABLE', 'DROP ANY TABLE', 'ALTER ANY TABLE')) isb_found GROUP BY name ORDER BY name;
--   {"p1": "ISB", "p2": "ISB", "p3": "ISB"}

-- the population of a flow with a key
SELECT COUNT(*) FROM isb.message WHERE (state = 'NEW' -- only new ones
);
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9') FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d, n_any, n_int FETCH FIRST 1 ROWS ONLY;
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9') FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d DESC, n_any DESC, n_int DESC FETCH FIRST 1 ROWS ONLY;
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9') FROM isb.message JOIN (SELECT n_any isb_key_1, n_int isb_key_2 FROM isb.message WHERE (state = 'NEW' -- only new ones
) GROUP BY n_any, n_int HAVING COUNT(*) > 1) isb_shared ON n_any = isb_shared.isb_key_1 AND n_int = isb_shared.isb_key_2 WHERE (state = 'NEW' -- only new ones
) FETCH FIRST 1000001 ROWS ONLY;

-- two pages of a flow with a key
SELECT LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), CAST(COALESCE(LENGTHB(v), 0) + COALESCE(LENGTHB(nv), 0) + COALESCE(LENGTHB(c), 0) + COALESCE(DBMS_LOB.GETLENGTH(cl), 0) + COALESCE(DBMS_LOB.GETLENGTH(ncl), 0) + COALESCE(DBMS_LOB.GETLENGTH(bl), 0) + COALESCE(LENGTHB(r), 0) + 0 + 0 + 0 + COALESCE(DBMS_LOB.GETLENGTH(XMLSERIALIZE(CONTENT x AS CLOB)), 0) + COALESCE(DBMS_LOB.GETLENGTH(JSON_SERIALIZE(j RETURNING CLOB)), 0) + COALESCE(LENGTHB(ri), 0) AS NUMBER(18)) FROM isb.message WHERE (state = 'NEW' -- only new ones
) ORDER BY d, n_any, n_int FETCH FIRST 1000 ROWS ONLY;
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), TO_CHAR(f_dec, 'TM9'), TO_BINARY_DOUBLE(bf), TO_BINARY_DOUBLE(bd), LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), LTRIM(TO_CHAR(ts, 'SYYYY-MM-DD HH24:MI:SS.FF6')), LTRIM(TO_CHAR(ts9, 'SYYYY-MM-DD HH24:MI:SS.FF9')), LTRIM(TO_CHAR(tz, 'SYYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')), LTRIM(TO_CHAR(ltz, 'SYYYY-MM-DD HH24:MI:SS.FF6')), TO_CHAR(iy), TO_CHAR(ids), v, nv, c, cl, ncl, bl, r, TO_BLOB(bfi), lo, lr, XMLSERIALIZE(CONTENT x AS CLOB), JSON_SERIALIZE(j RETURNING CLOB), CAST(ri AS VARCHAR2(4000)), TO_CHAR(bo) FROM isb.message WHERE (state = 'NEW' -- only new ones
) AND ((d <= TO_DATE(:p1, 'YYYY-MM-DD HH24:MI:SS')) AND ((d < TO_DATE(:p2, 'YYYY-MM-DD HH24:MI:SS')) OR ((d = TO_DATE(:p3, 'YYYY-MM-DD HH24:MI:SS')) AND ((n_any < TO_NUMBER(:p4)) OR ((n_any = TO_NUMBER(:p5)) AND ((n_int < TO_NUMBER(:p6)) OR (n_int = TO_NUMBER(:p7)))))))) ORDER BY d, n_any, n_int;
--   {"p1": "2018-03-25 01:30:00", "p2": "2018-03-25 01:30:00", "p3": "2018-03-25 01:30:00", "p4": "12345678901234567890.123", "p5": "12345678901234567890.123", "p6": "42", "p7": "42"}
SELECT LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), CAST(COALESCE(LENGTHB(v), 0) + COALESCE(LENGTHB(nv), 0) + COALESCE(LENGTHB(c), 0) + COALESCE(DBMS_LOB.GETLENGTH(cl), 0) + COALESCE(DBMS_LOB.GETLENGTH(ncl), 0) + COALESCE(DBMS_LOB.GETLENGTH(bl), 0) + COALESCE(LENGTHB(r), 0) + 0 + 0 + 0 + COALESCE(DBMS_LOB.GETLENGTH(XMLSERIALIZE(CONTENT x AS CLOB)), 0) + COALESCE(DBMS_LOB.GETLENGTH(JSON_SERIALIZE(j RETURNING CLOB)), 0) + COALESCE(LENGTHB(ri), 0) AS NUMBER(18)) FROM isb.message WHERE (state = 'NEW' -- only new ones
) AND (((d > TO_DATE(:p1, 'YYYY-MM-DD HH24:MI:SS')) OR (d IS NULL)) OR ((d = TO_DATE(:p2, 'YYYY-MM-DD HH24:MI:SS')) AND ((n_any > TO_NUMBER(:p3)) OR ((n_any = TO_NUMBER(:p4)) AND (n_int > TO_NUMBER(:p5)))))) ORDER BY d, n_any, n_int FETCH FIRST 1000 ROWS ONLY;
--   {"p1": "2018-03-25 01:30:00", "p2": "2018-03-25 01:30:00", "p3": "12345678901234567890.123", "p4": "12345678901234567890.123", "p5": "42"}

-- who has had the messages of a page
WITH isb_delivered (isb_key_1, isb_key_2, isb_endpoint) AS (
SELECT n_any, n_int, endpoint FROM delivery WHERE acked = 1
) SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), TO_CHAR(isb_delivered.isb_endpoint) FROM isb.message JOIN isb_delivered ON isb.message.n_any = isb_delivered.isb_key_1 AND isb.message.n_int = isb_delivered.isb_key_2 WHERE (1=0);

-- keys that are shared
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9') FROM isb.message JOIN (SELECT n_any isb_key_1, n_int isb_key_2 FROM isb.message WHERE (state = 'NEW' -- only new ones
) GROUP BY n_any, n_int HAVING COUNT(*) > 1) isb_shared ON n_any = isb_shared.isb_key_1 AND n_int = isb_shared.isb_key_2 WHERE (state = 'NEW' -- only new ones
) FETCH FIRST 1000001 ROWS ONLY;

-- behind and up to a key of NUMBER
SELECT TO_CHAR(n_any, 'TM9') FROM isb.message WHERE (n_any > TO_NUMBER(:p1)) ORDER BY n_any;
--   {"p1": "12345678901234567890.123"}
SELECT TO_CHAR(n_any, 'TM9') FROM isb.message WHERE (n_any <= TO_NUMBER(:p1)) ORDER BY n_any;
--   {"p1": "12345678901234567890.123"}

-- behind and up to a key of NUMBER
SELECT TO_CHAR(n_int, 'TM9') FROM isb.message WHERE (n_int > TO_NUMBER(:p1)) ORDER BY n_int;
--   {"p1": "42"}
SELECT TO_CHAR(n_int, 'TM9') FROM isb.message WHERE (n_int <= TO_NUMBER(:p1)) ORDER BY n_int;
--   {"p1": "42"}

-- behind and up to a key of FLOAT
SELECT TO_CHAR(f_dec, 'TM9') FROM isb.message WHERE (f_dec > TO_NUMBER(:p1)) ORDER BY f_dec;
--   {"p1": ".1"}
SELECT TO_CHAR(f_dec, 'TM9') FROM isb.message WHERE (f_dec <= TO_NUMBER(:p1)) ORDER BY f_dec;
--   {"p1": ".1"}

-- behind and up to a key of BINARY_FLOAT
SELECT TO_BINARY_DOUBLE(bf) FROM isb.message WHERE (bf > TO_BINARY_DOUBLE(:p1)) ORDER BY bf;
--   {"p1": "1.5"}
SELECT TO_BINARY_DOUBLE(bf) FROM isb.message WHERE (bf <= TO_BINARY_DOUBLE(:p1)) ORDER BY bf;
--   {"p1": "1.5"}

-- behind and up to a key of BINARY_DOUBLE
SELECT TO_BINARY_DOUBLE(bd) FROM isb.message WHERE (bd > TO_BINARY_DOUBLE(:p1)) ORDER BY bd;
--   {"p1": "-0.1"}
SELECT TO_BINARY_DOUBLE(bd) FROM isb.message WHERE (bd <= TO_BINARY_DOUBLE(:p1)) ORDER BY bd;
--   {"p1": "-0.1"}

-- behind and up to a key of DATE
SELECT LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')) FROM isb.message WHERE (d > TO_DATE(:p1, 'YYYY-MM-DD HH24:MI:SS')) ORDER BY d;
--   {"p1": "2018-03-25 01:30:00"}
SELECT LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')) FROM isb.message WHERE (d <= TO_DATE(:p1, 'YYYY-MM-DD HH24:MI:SS')) ORDER BY d;
--   {"p1": "2018-03-25 01:30:00"}

-- behind and up to a key of TIMESTAMP(6)
SELECT LTRIM(TO_CHAR(ts, 'SYYYY-MM-DD HH24:MI:SS.FF6')) FROM isb.message WHERE (ts > TO_TIMESTAMP(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ts;
--   {"p1": "2018-03-25 01:30:00.123456"}
SELECT LTRIM(TO_CHAR(ts, 'SYYYY-MM-DD HH24:MI:SS.FF6')) FROM isb.message WHERE (ts <= TO_TIMESTAMP(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ts;
--   {"p1": "2018-03-25 01:30:00.123456"}

-- behind and up to a key of TIMESTAMP(9)
SELECT LTRIM(TO_CHAR(ts9, 'SYYYY-MM-DD HH24:MI:SS.FF9')) FROM isb.message WHERE (ts9 > TO_TIMESTAMP(:p1, 'SYYYY-MM-DD HH24:MI:SS.FF9')) ORDER BY ts9;
--   {"p1": "-0044-03-15 00:00:00.000000000"}
SELECT LTRIM(TO_CHAR(ts9, 'SYYYY-MM-DD HH24:MI:SS.FF9')) FROM isb.message WHERE (ts9 <= TO_TIMESTAMP(:p1, 'SYYYY-MM-DD HH24:MI:SS.FF9')) ORDER BY ts9;
--   {"p1": "-0044-03-15 00:00:00.000000000"}

-- behind and up to a key of TIMESTAMP(6) WITH TIME ZONE
SELECT LTRIM(TO_CHAR(tz, 'SYYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')) FROM isb.message WHERE (tz > TO_TIMESTAMP_TZ(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')) ORDER BY tz;
--   {"p1": "2018-03-25 02:30:00.123456 +01:00"}
SELECT LTRIM(TO_CHAR(tz, 'SYYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')) FROM isb.message WHERE (tz <= TO_TIMESTAMP_TZ(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')) ORDER BY tz;
--   {"p1": "2018-03-25 02:30:00.123456 +01:00"}

-- behind and up to a key of TIMESTAMP(6) WITH LOCAL TIME ZONE
SELECT LTRIM(TO_CHAR(ltz, 'SYYYY-MM-DD HH24:MI:SS.FF6')) FROM isb.message WHERE (ltz > TO_TIMESTAMP(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ltz;
--   {"p1": "2018-03-25 01:30:00.123456"}
SELECT LTRIM(TO_CHAR(ltz, 'SYYYY-MM-DD HH24:MI:SS.FF6')) FROM isb.message WHERE (ltz <= TO_TIMESTAMP(:p1, 'YYYY-MM-DD HH24:MI:SS.FF6')) ORDER BY ltz;
--   {"p1": "2018-03-25 01:30:00.123456"}

-- behind and up to a key of INTERVAL YEAR(2) TO MONTH
SELECT TO_CHAR(iy) FROM isb.message WHERE (iy > TO_YMINTERVAL(:p1)) ORDER BY iy;
--   {"p1": "+02-06"}
SELECT TO_CHAR(iy) FROM isb.message WHERE (iy <= TO_YMINTERVAL(:p1)) ORDER BY iy;
--   {"p1": "+02-06"}

-- behind and up to a key of INTERVAL DAY(2) TO SECOND(6)
SELECT TO_CHAR(ids) FROM isb.message WHERE (ids > TO_DSINTERVAL(:p1)) ORDER BY ids;
--   {"p1": "+05 04:03:02.000000"}
SELECT TO_CHAR(ids) FROM isb.message WHERE (ids <= TO_DSINTERVAL(:p1)) ORDER BY ids;
--   {"p1": "+05 04:03:02.000000"}

-- behind and up to a key of VARCHAR2
SELECT v FROM isb.message WHERE (v > :p1) ORDER BY v;
--   {"p1": "naïve ☃"}
SELECT v FROM isb.message WHERE (v <= :p1) ORDER BY v;
--   {"p1": "naïve ☃"}

-- behind and up to a key of NVARCHAR2
SELECT nv FROM isb.message WHERE (nv > :p1) ORDER BY nv;
--   {"p1": "𝄞"}
SELECT nv FROM isb.message WHERE (nv <= :p1) ORDER BY nv;
--   {"p1": "𝄞"}

-- behind and up to a key of CHAR
SELECT c FROM isb.message WHERE (c > :p1) ORDER BY c;
--   {"p1": "ab   "}
SELECT c FROM isb.message WHERE (c <= :p1) ORDER BY c;
--   {"p1": "ab   "}

-- behind and up to a key of BOOLEAN
SELECT TO_CHAR(bo) FROM isb.message WHERE (bo > :p1) ORDER BY bo;
--   {"p1": "TRUE"}
SELECT TO_CHAR(bo) FROM isb.message WHERE (bo <= :p1) ORDER BY bo;
--   {"p1": "TRUE"}

-- a pass over a table without a key
SELECT CAST(MAX(COALESCE(LENGTHB(v), 0) + COALESCE(LENGTHB(nv), 0) + COALESCE(LENGTHB(c), 0) + COALESCE(DBMS_LOB.GETLENGTH(cl), 0) + COALESCE(DBMS_LOB.GETLENGTH(ncl), 0) + COALESCE(DBMS_LOB.GETLENGTH(bl), 0) + COALESCE(LENGTHB(r), 0) + COALESCE(DBMS_LOB.GETLENGTH(XMLSERIALIZE(CONTENT x AS CLOB)), 0) + COALESCE(DBMS_LOB.GETLENGTH(JSON_SERIALIZE(j RETURNING CLOB)), 0) + COALESCE(LENGTHB(ri), 0)) AS NUMBER(18)) FROM isb.message WHERE 1=1;
SELECT TO_CHAR(n_any, 'TM9'), TO_CHAR(n_int, 'TM9'), TO_CHAR(f_dec, 'TM9'), TO_BINARY_DOUBLE(bf), TO_BINARY_DOUBLE(bd), LTRIM(TO_CHAR(d, 'SYYYY-MM-DD HH24:MI:SS')), LTRIM(TO_CHAR(ts, 'SYYYY-MM-DD HH24:MI:SS.FF6')), LTRIM(TO_CHAR(ts9, 'SYYYY-MM-DD HH24:MI:SS.FF9')), LTRIM(TO_CHAR(tz, 'SYYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')), LTRIM(TO_CHAR(ltz, 'SYYYY-MM-DD HH24:MI:SS.FF6')), TO_CHAR(iy), TO_CHAR(ids), v, nv, c, cl, ncl, bl, r, XMLSERIALIZE(CONTENT x AS CLOB), JSON_SERIALIZE(j RETURNING CLOB), CAST(ri AS VARCHAR2(4000)), TO_CHAR(bo) FROM isb.message WHERE 1=1 ORDER BY n_any, n_int, f_dec, bf, bd, d, ts, ts9, tz, LTRIM(TO_CHAR(tz, 'SYYYY-MM-DD HH24:MI:SS.FF6 TZH:TZM')), ltz, iy, ids, v, nv, c, CASE WHEN cl IS NOT NULL THEN DBMS_CRYPTO.HASH(cl, 4) END, CASE WHEN ncl IS NOT NULL THEN DBMS_CRYPTO.HASH(ncl, 4) END, CASE WHEN bl IS NOT NULL THEN DBMS_CRYPTO.HASH(bl, 4) END, r, CASE WHEN x IS NOT NULL THEN DBMS_CRYPTO.HASH(XMLSERIALIZE(CONTENT x AS CLOB), 4) END, CASE WHEN j IS NOT NULL THEN DBMS_CRYPTO.HASH(JSON_SERIALIZE(j RETURNING CLOB), 4) END, ri, bo;

-- claims of two flows
SELECT CAST(isb_flow_1 + isb_flow_2 AS NUMBER(18)), CAST(COUNT(*) AS NUMBER(18)), CAST(SUM(isb_flow_1) AS NUMBER(18)), CAST(SUM(isb_flow_2) AS NUMBER(18)) FROM (SELECT CASE WHEN (state = 'NEW'
) THEN 1 ELSE 0 END isb_flow_1, 1 isb_flow_2 FROM isb.message) isb_claims GROUP BY isb_flow_1 + isb_flow_2;

-- the inventory
SELECT COUNT(*) FROM isb.message;
SELECT COUNT(*) FROM isb.message;
SELECT CAST(COALESCE(SUM(COALESCE(LENGTHB(v), 0) + COALESCE(LENGTHB(nv), 0) + COALESCE(LENGTHB(c), 0) + COALESCE(DBMS_LOB.GETLENGTH(cl), 0) + COALESCE(DBMS_LOB.GETLENGTH(ncl), 0) + COALESCE(DBMS_LOB.GETLENGTH(bl), 0) + COALESCE(LENGTHB(r), 0) + 0 + 0 + 0 + COALESCE(DBMS_LOB.GETLENGTH(XMLSERIALIZE(CONTENT x AS CLOB)), 0) + COALESCE(DBMS_LOB.GETLENGTH(JSON_SERIALIZE(j RETURNING CLOB)), 0) + COALESCE(LENGTHB(ri), 0)), 0) AS NUMBER(18)) FROM isb.message;
SELECT LTRIM(TO_CHAR(MIN(d), 'SYYYY-MM-DD HH24:MI:SS')), LTRIM(TO_CHAR(MAX(d), 'SYYYY-MM-DD HH24:MI:SS')) FROM isb.message;

-- a reference table
SELECT code, meaning FROM codes
;
WITH isb_query (isb_1, isb_2) AS (
SELECT code, meaning FROM codes
) SELECT TO_CHAR(isb_1), TO_CHAR(isb_2) FROM isb_query;

