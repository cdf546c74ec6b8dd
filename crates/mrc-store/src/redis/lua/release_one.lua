-- KEYS: key, lease, copy   ARGV: token
return release(KEYS[1], KEYS[2], KEYS[3], ARGV[1])
