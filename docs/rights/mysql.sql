-- The rights of mrc in MySQL and MariaDB. Replace `cache`, its password and `shop`, the database that is read.
-- The tests run the executor's suite with these rights.

CREATE USER cache@'%' IDENTIFIED BY 'secret';
GRANT SELECT ON shop.* TO cache@'%';
