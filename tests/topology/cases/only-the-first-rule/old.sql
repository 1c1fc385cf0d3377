CREATE TABLE message (id TEXT, type TEXT, prio INTEGER, state TEXT, region INTEGER, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
CREATE TABLE endpoint (name TEXT, system TEXT);
INSERT INTO endpoint VALUES ('alpha', 'A'), ('unused', 'U');
CREATE TABLE route (rule TEXT, seq INTEGER, active TEXT, target TEXT, bus TEXT, type_like TEXT,
  prio_from INTEGER, prio_to INTEGER, filter TEXT);
INSERT INTO route VALUES
  ('last', 9, 'Y', 'rest', '*', '*', NULL, NULL, NULL),
  ('off', 1, 'N', 'never', '*', '*', NULL, NULL, NULL),
  ('other bus', 2, 'Y', 'never', 'XYZ', '*', NULL, NULL, NULL),
  ('high', 3, 'Y', 'alpha', 'ISB', 'E.%', 7, 9, NULL),
  ('north', 4, 'Y', 'beta', 'ISB', '*', NULL, NULL, 'area IN (''N'') OR area = 5');
INSERT INTO message VALUES
  ('1', 'E.x', 7, 'NEW', 5, '{}'),
  ('2', 'E.x', 6, 'NEW', 5, '{}'),
  ('3', 'F', 9, 'NEW', NULL, '{}'),
  ('4', 'E.x', 10, 'DONE', 4, '{}');
