CREATE TABLE message (id TEXT, destination TEXT, type TEXT, prio INTEGER, odd INTEGER, state TEXT, body TEXT);
CREATE TABLE acked (id TEXT, endpoint TEXT);
CREATE TABLE queue (name TEXT);
INSERT INTO queue VALUES ('queue://C.one.VT.EVENTS'), ('C.two.VT.OTHER'), ('topic://VT.EVENTS');
CREATE TABLE ACTIVEMQ_ACKS (CONTAINER TEXT, CLIENT_ID TEXT, SUB_NAME TEXT, SELECTOR TEXT, LAST_ACKED_ID INTEGER, PRIORITY INTEGER);
INSERT INTO ACTIVEMQ_ACKS VALUES
  ('topic://VT.EVENTS', 'c', 's', 'JMSType LIKE ''E%''', 0, 5), ('topic://VT.EVENTS', 'c', 's', 'JMSType LIKE ''E%''', 0, 4);
INSERT INTO message VALUES
  ('1', 'queue://IN', 'E1', 5, 1, 'NEW', '{}'),
  ('2', 'queue://IN', 'F', 4, 1, 'NEW', '{}'),
  ('3', 'queue://KEEP.x', NULL, 4, NULL, 'NEW', '{}'),
  ('4', 'queue://PLAIN', NULL, 4, NULL, 'NEW', '{}'),
  ('5', 'topic://VT.OTHER', 'E', 4, NULL, 'NEW', '{}');
