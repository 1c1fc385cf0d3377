CREATE TABLE message (id TEXT, exchange TEXT, rkey TEXT, region TEXT, level INTEGER, state TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
INSERT INTO message VALUES
  ('1', 'isb.topic', 'custody', 'N', 3, 'NEW', '{}'),
  ('2', 'isb.topic', 'custody.new', 'N', 3, 'NEW', '{}'),
  ('3', 'isb.topic', 'pnc.new', 'S', 3, 'NEW', '{}'),
  ('4', 'isb.topic', 'pnc.old', 'N', 3, 'NEW', '{}'),
  ('5', 'amq.direct', 'log', 'N', 3, 'NEW', '{}'),
  ('6', '', 'alpha', 'N', 3, 'NEW', '{}'),
  ('7', 'isb.headers', 'x', 'N', 3, 'NEW', '{}'),
  ('8', 'gone', 'x', 'N', 3, 'NEW', '{}');
