-- KEYS: key, copy   ARGV: value, its TTL in ms
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('UNLINK', KEYS[2])
return 1
