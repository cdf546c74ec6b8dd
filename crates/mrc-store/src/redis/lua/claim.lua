-- KEYS: key, lease, perhaps copy   ARGV: token, lease in ms, minimal remaining ms of a
-- refreshed value (0 for a fill)
-- {2, value}: a value exists | {0, ms left}: another caller is filling | {1}: granted
local v = look('GET', KEYS[1])
-- A text of marks only is no value, and no claim writes such a text.
if v and #v > 0 and not string.find(v, '[^ \n]') then v = false end
if v and #v > 0 and (ARGV[3] == '0' or redis.call('PTTL', KEYS[1]) > tonumber(ARGV[3])) then return {2, v} end
local left = v and lease_left(KEYS[2])
if left then return {0, left} end
if not v or #v == 0 then redis.call('SET', KEYS[1], '', 'PX', ARGV[2])
elseif v:byte(-1) ~= 32 then redis.call('APPEND', KEYS[1], ' ') end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if KEYS[3] and look('STRLEN', KEYS[3]) == 0 then redis.call('SET', KEYS[3], '', 'PX', ARGV[2]) end
return {1}
