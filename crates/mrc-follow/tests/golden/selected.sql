-- Writes the SELECT of each table of values: text as hex, ENUM, SET and BIT as numbers.
SET SESSION group_concat_max_len = 1000000;
SELECT CONCAT('SELECT ''# ', table_name, ''' FROM DUAL; SELECT ', GROUP_CONCAT(CASE
    WHEN data_type IN ('enum', 'set', 'bit') THEN CONCAT(column_name, ' | 0')
    WHEN data_type = 'timestamp' THEN CONCAT('UNIX_TIMESTAMP(', column_name, ')')
    WHEN data_type = 'int' AND column_type LIKE '%zerofill' THEN CONCAT(column_name, '+0')
    WHEN data_type = 'year' THEN CONCAT(column_name, '+0')
    WHEN data_type IN ('json', 'geometry', 'point', 'vector') OR column_type LIKE '%COMPRESSED%'
      THEN CONCAT('IF(', column_name, ' IS NULL, NULL, ''opaque'')')
    WHEN data_type IN ('uuid', 'inet6', 'inet4') THEN column_name
    WHEN collation_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob'
      THEN CONCAT('HEX(', column_name, ')')
    ELSE column_name END ORDER BY ordinal_position), ' FROM golden.', table_name, ' ORDER BY id;')
  FROM information_schema.columns WHERE table_schema = 'golden' AND table_name LIKE 'v\_%'
  GROUP BY table_name ORDER BY table_name;
