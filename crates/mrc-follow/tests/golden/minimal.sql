-- Images with the key and the changed columns only, and no names.
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
SET sql_mode = '', time_zone = '+00:00', NAMES utf8mb4;
SET SESSION binlog_row_image = 'MINIMAL';
CREATE TABLE orders (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, store_id INT UNSIGNED, name VARCHAR(20) CHARACTER SET latin1,
  b BINARY(4), kind ENUM('a', 'b'), total DECIMAL(10,2) DEFAULT 1);
INSERT INTO orders VALUES (4000000000, 1, 'é', X'0100', 'b', -2.5);
INSERT INTO orders (store_id) VALUES (2);
INSERT INTO orders () VALUES ();
UPDATE orders SET name = 'new' WHERE id = 4000000000;
DELETE FROM orders WHERE id = 4000000001;
CREATE TABLE keyless (a INT, b INT);
INSERT INTO keyless VALUES (1, 2);
INSERT INTO keyless () VALUES ();
UPDATE keyless SET a = 3 WHERE b = 2;
DELETE FROM keyless;
SET SESSION binlog_row_image = 'NOBLOB';
CREATE TABLE blobs (id INT PRIMARY KEY, a INT, t TEXT, u INT);
INSERT INTO blobs VALUES (1, 2, 'text', 3);
UPDATE blobs SET a = 4;
UPDATE blobs SET t = 'more';
DELETE FROM blobs;
