-- KEYS: key, lease, perhaps copy   ARGV: token, lease in ms, minimal remaining ms
return claim(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2], ARGV[3])
