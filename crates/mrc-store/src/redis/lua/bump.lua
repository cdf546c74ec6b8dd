-- KEYS: index of a tag, its bucket, and the clock if it is on the same server
-- ARGV: how many ms to remember an invalidation, how many keys to return at most,
-- without a clock the moment of the invalidation in µs
-- {how many keys the tag has, key, score, ...}, without keys and scores if there are too many.
-- The empty key has the moment as its score. {-1}: another program overwrote the index
-- Without index and clock no entry has the tag, and no fill in flight has asked for its moment,
-- because asking creates the clock for a day.
if KEYS[3] and redis.call('EXISTS', KEYS[1], KEYS[3]) == 0 then return {0} end
local moment = KEYS[3] and tick(KEYS[3], 1) or ARGV[3]
if redis.call('EXISTS', KEYS[1]) == 0 then
  -- No entry has the tag. Its bucket, which tags share, remembers the moment for fills in flight,
  -- so that tags without entries leave a bounded number of keys.
  local known = tonumber(look('GET', KEYS[2]) or '')
  if not known or known < tonumber(moment) or known > moment + 86400e6 then
    -- Removed first, because a full server refuses a script whose first write needs memory.
    redis.call('DEL', KEYS[2])
    redis.call('SET', KEYS[2], moment, 'PX', ARGV[1])
  end
  return {0}
end
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
