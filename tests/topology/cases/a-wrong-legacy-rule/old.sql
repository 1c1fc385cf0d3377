CREATE TABLE message (id TEXT, type TEXT, state TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
INSERT INTO message VALUES ('1', 'A', 'NEW', '{}'), ('2', 'A', 'NEW', '{}');
INSERT INTO acked VALUES ('2', 'GAMMA');
