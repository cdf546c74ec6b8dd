-- The user of `mrc follow` in MySQL and MariaDB. Replace `follower` and its password.
-- The tests run the follower with these rights. It reads the log, and no rows of a table.

CREATE USER follower@'%' IDENTIFIED BY 'secret';
GRANT REPLICATION SLAVE ON *.* TO follower@'%';

-- If foreign keys change rows of followed tables: the follower has to see the keys. With `auto`, of
-- all tables that queries read. MariaDB shows keys to users with REFERENCES on the database, and not
-- to those with REFERENCES on the table alone.
-- GRANT REFERENCES ON shop.* TO follower@'%';

-- Only for `mrc follow --check`, which looks for the tables and columns of the rules. Replace `shop`,
-- run the check, and revoke it: REVOKE SELECT ON shop.* FROM follower@'%';
-- GRANT SELECT, REFERENCES ON shop.* TO follower@'%';
