-- Transactions and statements that the server compresses.
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
SET sql_mode = '', time_zone = '+00:00', NAMES utf8mb4;
CREATE TABLE orders (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, store_id INT, note VARCHAR(600), body MEDIUMBLOB);
INSERT INTO orders (store_id, note, body) VALUES (-1, REPEAT('compressible ', 40), REPEAT('b', 70000)), (2, 'é', NULL);
INSERT INTO orders (store_id, note) WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 400)
  SELECT i, CONCAT('row ', i, ' with a text') FROM n;
UPDATE orders SET store_id = store_id + 1, body = NULL;
BEGIN;
DELETE FROM orders WHERE id > 100;
SAVEPOINT a;
INSERT INTO orders (store_id) VALUES (-2);
COMMIT;
XA START 'compressed';
UPDATE orders SET store_id = 7;
XA END 'compressed';
XA PREPARE 'compressed';
XA COMMIT 'compressed';
ALTER TABLE orders COMMENT = 'A comment that is long enough to be compressed: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';
