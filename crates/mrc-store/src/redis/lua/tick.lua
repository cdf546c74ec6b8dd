-- KEYS: clock   ARGV: 1 to invalidate or 0
-- the time in µs: later than every invalidation's before, and than every time before if it is to invalidate
local t = redis.call('TIME')
local c = t[1] * 1e6 + t[2]
local p = tonumber(redis.call('GET', KEYS[1]) or '0') + tonumber(ARGV[1])
if p > c then c = p end
local s = string.format('%.0f', c)
-- Nothing is kept for ever: after a day without tags there is nothing left to order.
redis.call('SET', KEYS[1], s, 'EX', 86400)
return s
