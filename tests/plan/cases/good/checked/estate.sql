CREATE TABLE isb_message (msg_id TEXT PRIMARY KEY, flow TEXT NOT NULL, state TEXT, prio INTEGER, payload TEXT);
INSERT INTO isb_message VALUES
  ('c1', 'CUST', 'NEW', 8, '{"no": "1", "code": "01", "beat": "A1"}'),
  ('c2', 'CUST', 'DONE', 1, '{"no": "2"}'),
  ('g1', 'GAZ', 'NEW', 1, '{"uprn": 1}');
CREATE TABLE isb_delivery (msg_id TEXT, endpoint TEXT, acked INTEGER);
INSERT INTO isb_delivery VALUES ('c2', 'CUST', 1);
CREATE TABLE isb_audit (at TEXT, what TEXT);
INSERT INTO isb_audit VALUES ('2018-03-31', 'started');
CREATE TABLE isb_code (code TEXT, label TEXT);
INSERT INTO isb_code VALUES ('01', 'Theft'), ('01', 'Theft'), ('02', 'Burglary');
