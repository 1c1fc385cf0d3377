CREATE TABLE message (id TEXT, state TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
INSERT INTO message VALUES ('1', 'NEW', '{}'), ('2', 'NEW', '{}');
INSERT INTO acked VALUES ('1', 'A'), ('2', 'B');
