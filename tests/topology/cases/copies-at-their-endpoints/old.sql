CREATE TABLE message (id TEXT, queue TEXT, place TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
INSERT INTO message VALUES ('1', 'A', 'A', '{}'), ('2', 'B', 'B', '{}'), ('3', 'C', 'C', '{}');
