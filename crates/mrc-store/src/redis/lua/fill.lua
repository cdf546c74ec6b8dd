-- KEYS: key, lease, perhaps copy, perhaps tags
-- ARGV: token, value, its TTL in ms, the copy's TTL in ms, perhaps the tags as JSON, 1 (copy) or 0
-- 1: stored | 0: refused
if look('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local n = look('STRLEN', KEYS[1])
if n == 0 and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if n > 0 and not (redis.call('GETRANGE', KEYS[1], -1, -1) == ' ' and holds(KEYS[1])) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
if KEYS[3] and (look('STRLEN', KEYS[3]) > 0 or redis.call('EXISTS', KEYS[3]) == 1) then
  redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[4])
end
-- A copy with other tags must not remain beside these tags.
if KEYS[4] and ARGV[6] == '0' then redis.call('UNLINK', KEYS[3]) end
if KEYS[4] then redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[4]) end
return 1
