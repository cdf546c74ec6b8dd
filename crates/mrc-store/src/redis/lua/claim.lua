-- KEYS: key, lease, perhaps copy   ARGV: token, lease in ms, 1 to refresh or 0
-- {2, value}: there is a value | {0, ms left}: somebody else is filling | {1}: granted
local v = redis.call('GET', KEYS[1])
if v and #v > 0 and ARGV[3] == '0' then return {2, v} end
if v and redis.call('EXISTS', KEYS[2]) == 1 then return {0, redis.call('PTTL', KEYS[2])} end
if not v or #v == 0 then redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
elseif v:byte(-1) ~= 32 then redis.call('APPEND', KEYS[1], ' ') end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if KEYS[3] and redis.call('STRLEN', KEYS[3]) == 0 then redis.call('SET', KEYS[3], '', 'PX', ARGV[2]) end
return {1}
