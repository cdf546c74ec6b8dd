-- KEYS: index of a tag   ARGV: the invalidation's moment in µs, how long it is remembered in ms, how many keys are returned at most
-- {how many keys the tag has, key, score, ...}: with its keys, unless there are too many. The empty one is the moment itself
redis.call('ZADD', KEYS[1], 'GT', ARGV[1], '')
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
local n = redis.call('ZCARD', KEYS[1]) - 1
if n > tonumber(ARGV[3]) then return {n} end
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(all, 1, n)
return all
