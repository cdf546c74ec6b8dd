-- KEYS: index of a tag   ARGV: the invalidation's moment in µs, how long it is remembered in ms, how many keys are returned at most
-- {how many keys the tag has, key, score, ...}: with its keys, unless there are too many. The empty one is the moment itself
-- ZADD GT would need Redis 6.2.
local last = redis.call('ZSCORE', KEYS[1], '')
if not last or tonumber(last) < tonumber(ARGV[1]) then redis.call('ZADD', KEYS[1], ARGV[1], '') end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local n = redis.call('ZCARD', KEYS[1]) - 1
if n > tonumber(ARGV[3]) then return {n} end
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(all, 1, n)
return all
