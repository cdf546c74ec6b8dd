-- What only MariaDB has.
USE golden;
CREATE TABLE v_mariadb (id INT PRIMARY KEY, u UUID, i6 INET6, i4 INET4, j JSON, g GEOMETRY,
  c VARCHAR(20) COMPRESSED, d TEXT COMPRESSED CHARACTER SET latin1, k VARCHAR(300) COMPRESSED, after_all VARCHAR(9),
  v INT UNSIGNED AS (id + 1) VIRTUAL, p INT UNSIGNED AS (id + 2) PERSISTENT, h INT INVISIBLE, b BINARY(16), l CHAR(3) CHARACTER SET latin1);
INSERT INTO v_mariadb (id, u, i6, i4, j, g, c, d, k, after_all, h, b, l) VALUES
  (1, '123e4567-e89b-12d3-a456-426655440000', '::1', '127.0.0.1', '{"a": 1}', ST_GeomFromText('POINT(1 2)'),
   'short', REPEAT('long', 100), REPEAT('x', 250), 'end', 5, X'01', 'é'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'end', NULL, NULL, NULL),
  (3, '00000000-0000-0000-0000-000000000000', '::', '0.0.0.0', '[]', NULL, '', '', '', NULL, -1, X'', ''),
  (4, '12345678-0000-1000-8000-000000000000', 'fe80::', '10.0.0.0', NULL, NULL, NULL, NULL, NULL, 'end', 0, X'00', 'abc'),
  (5, '12345678-1234-4000-8000-ff0000000000', '::ffff:1.2.3.4', '255.255.255.255', NULL, NULL, NULL, NULL, NULL, 'end', 0,
   X'0102030405060708090A0B0C0D0E0F10', 'a');
SET GLOBAL mysql56_temporal_format = OFF;
CREATE TABLE old (id INT, t TIME, n INT, d DATETIME(6), s TIMESTAMP(2) NULL);
INSERT INTO old VALUES (1, NULL, 2, NULL, NULL), (3, '-12:30:00', 4, NULL, NULL);
INSERT INTO old VALUES (5, NULL, 6, '2026-11-28 12:30:00.123456', NULL);
SET GLOBAL mysql56_temporal_format = ON;
USE shop;
CREATE TABLE versioned (id INT PRIMARY KEY, n INT) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1);
UPDATE versioned SET n = 2;
DELETE FROM versioned;
CREATE SEQUENCE numbers;
SELECT NEXTVAL(numbers);
SET SESSION binlog_alter_two_phase = ON;
ALTER TABLE orders ADD COLUMN m INT;
SET SESSION binlog_alter_two_phase = OFF;
