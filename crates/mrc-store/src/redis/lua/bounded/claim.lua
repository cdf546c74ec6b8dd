-- KEYS: structure, lease, perhaps clock   ARGV: field, token, lease in ms,
-- minimal remaining ms of a refreshed value (0 for a fill), kind of life, life in ms
-- {2, value}: a value exists | {0, ms left}: another caller is filling | {1}: granted
-- with a clock: {that, its time in µs}
local function answer(it) return KEYS[7] and {it, tick(KEYS[7], 0)} or it end
make_whole()
reap(100)
local field, lease = ARGV[1], tonumber(ARGV[3])
local value = read(field)
if value and #value > 0 and (ARGV[4] == '0' or left_of(field, value) > tonumber(ARGV[4])) then return answer({2, value}) end
local left = value and lease_left(KEYS[6])
if left then return answer({0, left}) end
if not value or #value == 0 then
  redis.call('HSET', values, field, '')
  redis.call('ZADD', claims, text(now + lease), field)
elseif value:byte(-1) ~= 32 then
  redis.call('HSET', values, field, value .. ' ')
end
redis.call('SET', KEYS[6], ARGV[2], 'PX', ARGV[3])
expire(ARGV[5], tonumber(ARGV[6]), lease)
return answer({1})
