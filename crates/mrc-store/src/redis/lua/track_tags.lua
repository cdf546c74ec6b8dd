-- KEYS: index of a tag, its bucket, and so on for each tag   ARGV: key, the TTL of the entry in ms,
-- how many µs to remember an invalidation, the moment of each tag in µs
-- 1: registered | 0: registered, but a tag was invalidated since its moment, or that is too old
return track(ARGV[1], ARGV[2], ARGV[3], 0, 3, #KEYS / 2) and 1 or 0
