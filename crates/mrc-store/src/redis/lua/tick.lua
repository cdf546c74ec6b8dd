-- KEYS: clock   ARGV: 1 to invalidate or 0
-- the time in µs
return tick(KEYS[1], tonumber(ARGV[1]))
