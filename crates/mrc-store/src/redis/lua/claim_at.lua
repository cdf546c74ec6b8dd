-- KEYS: clock, key, lease, perhaps copy   ARGV: token, lease in ms, minimal remaining ms
-- {the answer to the claim, the clock's time in µs}
return {claim(KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3]), tick(KEYS[1], 0)}
