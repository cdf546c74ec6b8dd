-- KEYS: key, lease, perhaps copy, perhaps tags
-- ARGV: token, value, its TTL in ms, the copy's TTL in ms, perhaps the tags as JSON, 1 (copy) or 0
return fill(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
