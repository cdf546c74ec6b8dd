-- What only MySQL has.
USE golden;
CREATE TABLE v_mysql (id INT PRIMARY KEY, j JSON, v VECTOR(2), g GEOMETRY, p POINT, after_all VARCHAR(9),
  u INT UNSIGNED AS (id + 1) VIRTUAL, w INT UNSIGNED AS (id + 2) STORED, h INT INVISIBLE, KEY (id, (id * 2)),
  KEY ((CAST(j->'$.tags' AS UNSIGNED ARRAY))));
INSERT INTO v_mysql (id, j, v, g, p, after_all, h) VALUES
  (1, '{"a": [1, 2.5, null, "é"], "tags": [1, 2]}', STRING_TO_VECTOR('[1,2]'), ST_GeomFromText('LINESTRING(0 0,1 1)'),
   ST_GeomFromText('POINT(1 2)'), 'end', 5),
  (2, NULL, NULL, NULL, NULL, 'end', NULL), (3, '[]', STRING_TO_VECTOR('[0]'), NULL, POINT(0, 0), NULL, -1);
USE shop;
SET gtid_next = 'AUTOMATIC:followed';
INSERT INTO orders (store_id, name) VALUES (9, 'tagged');
SET gtid_next = 'AUTOMATIC';
SET binlog_rows_query_log_events = ON;
INSERT INTO orders (store_id, name) VALUES (9, 'with its text');
SET binlog_rows_query_log_events = OFF;
SET binlog_row_value_options = PARTIAL_JSON;
CREATE TABLE documents (id INT PRIMARY KEY, a JSON, b JSON, n INT);
INSERT INTO documents VALUES (1, JSON_OBJECT('k', 'value', 'other', REPEAT('x', 100)), '[1, 2, 3]', 1), (2, '{}', NULL, 2);
UPDATE documents SET a = JSON_SET(a, '$.k', 'longer value'), n = 11 WHERE id = 1;
UPDATE documents SET a = JSON_SET(a, '$.k', 'v'), b = JSON_SET(b, '$[0]', 7), n = n + 1;
UPDATE documents SET n = 5;
UPDATE documents SET a = '[]', n = NULL;
SET binlog_row_value_options = '';
