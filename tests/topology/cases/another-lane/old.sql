CREATE TABLE message (id TEXT, state TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
INSERT INTO message VALUES ('1', 'NEW', '{}');
