-- KEYS: index of a tag, and the clock if it is on the same server
-- ARGV: how many ms to remember an invalidation, how many keys to return at most,
-- without a clock the moment of the invalidation in µs
-- {how many keys the tag has, key, score, ...}, without keys and scores if there are too many.
-- The empty key has the moment as its score. {-1}: another program overwrote the index
-- Without index and clock no entry has the tag, and no fill in flight has asked for its moment,
-- because asking creates the clock for a day.
if KEYS[2] and redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then return {0} end
local moment = KEYS[2] and tick(KEYS[2], 1) or ARGV[3]
local last, foreign = look('ZSCORE', KEYS[1], '')
last = tonumber(last or '-inf')
-- The clock is at most a day ahead. ZADD GT would need Redis 6.2.
if last < tonumber(moment) or last > moment + 86400e6 then
  -- Removed first, because a full server refuses a script whose first write needs memory.
  redis.call('ZREM', KEYS[1], '')
  redis.call('ZADD', KEYS[1], moment, '')
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
if foreign then return {-1} end
local n = redis.call('ZCARD', KEYS[1]) - 1
if n > tonumber(ARGV[2]) then return {n} end
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(all, 1, n)
return all
