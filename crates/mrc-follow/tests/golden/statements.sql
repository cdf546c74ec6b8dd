-- Every kind of statement that changes rows or tables.
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
SET sql_mode = '', time_zone = '+00:00', NAMES utf8mb4;
CREATE TABLE orders (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, store_id INT UNSIGNED NOT NULL, name VARCHAR(20),
  total DECIMAL(10,2), at TIMESTAMP(3) NULL, UNIQUE (name));
INSERT INTO orders (store_id, name, total, at) VALUES (1, 'first', 12.50, '2026-11-28 12:30:00.125'), (2, 'é☃😀', -1, NULL);
UPDATE orders SET total = total + 1;
UPDATE orders SET total = total WHERE id = 1;
REPLACE INTO orders (id, store_id, name) VALUES (1, 3, 'replaced');
INSERT INTO orders (id, store_id, name) VALUES (2, 4, 'again') ON DUPLICATE KEY UPDATE store_id = 4;
DELETE FROM orders WHERE id = 2;

BEGIN;
INSERT INTO orders (store_id, name) VALUES (5, 'kept');
SAVEPOINT a;
INSERT INTO orders (store_id, name) VALUES (5, 'undone');
ROLLBACK TO SAVEPOINT a;
INSERT INTO orders (store_id, name) VALUES (5, 'kept too');
COMMIT;
BEGIN;
INSERT INTO orders (store_id, name) VALUES (6, 'never');
ROLLBACK;

XA START 'one', 'branch', 7;
INSERT INTO orders (store_id, name) VALUES (7, 'one phase');
XA END 'one', 'branch', 7;
XA COMMIT 'one', 'branch', 7 ONE PHASE;
XA START X'01FF', X'', 7;
INSERT INTO orders (store_id, name) VALUES (7, 'two phases');
XA END X'01FF', X'', 7;
XA PREPARE X'01FF', X'', 7;
XA COMMIT X'01FF', X'', 7;
XA START 'back';
INSERT INTO orders (store_id, name) VALUES (7, 'rolled back');
XA END 'back';
XA PREPARE 'back';
XA ROLLBACK 'back';

CREATE TABLE stores (id INT PRIMARY KEY, name VARCHAR(20)) ENGINE = InnoDB;
CREATE TABLE shelves (id INT PRIMARY KEY, store_id INT, FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE);
INSERT INTO stores VALUES (1, 'a'), (2, 'b');
INSERT INTO shelves VALUES (10, 1), (11, 1), (12, 2);
DELETE FROM stores WHERE id = 1;
UPDATE stores JOIN shelves ON shelves.store_id = stores.id SET stores.name = 'c', shelves.id = 13;
CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20)) ENGINE = MyISAM;
INSERT INTO log (what) VALUES ('x'), ('y');
CREATE TABLE changes (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20));
CREATE TRIGGER stores_log AFTER UPDATE ON stores FOR EACH ROW INSERT INTO changes (what) VALUES (NEW.name);
UPDATE stores SET name = 'd' WHERE id = 2;

ALTER TABLE orders ADD COLUMN note TEXT AFTER store_id;
UPDATE orders SET note = 'noted' WHERE store_id = 5;
ALTER TABLE orders RENAME COLUMN note TO remark;
UPDATE orders SET remark = 'remarked' WHERE store_id = 7;
RENAME TABLE shelves TO boards;
CREATE TABLE copy AS SELECT id, store_id, name FROM orders;
CREATE TEMPORARY TABLE scratch (id INT);
INSERT INTO scratch VALUES (1);
DROP TEMPORARY TABLE scratch;
TRUNCATE TABLE copy;
DROP TABLE copy;

SET SESSION binlog_format = 'STATEMENT';
SET @name = 'by statement';
INSERT INTO orders (store_id, name, total) VALUES (8, @name, RAND());
SET SESSION binlog_format = 'ROW';
LOAD DATA LOCAL INFILE 'loaded.csv' INTO TABLE orders FIELDS TERMINATED BY ',' (store_id, name);
