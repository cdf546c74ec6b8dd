-- KEYS: index of a tag   ARGV: key, the tag's moment in µs, the life of the entry in ms, how long an invalidation is remembered in µs
-- 1: registered | 0: registered, but the tag was invalidated since its moment, or that is too long ago to tell
local t = redis.call('TIME')
local now = t[1] * 1e6 + t[2]
local since, ttl, g = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- A new score at every registration: prune tells by it that there was another.
local s, o = now + ttl * 1000, tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '0')
if s <= o then s = o + 1 end
redis.call('ZADD', KEYS[1], string.format('%.0f', s), ARGV[1])
local invalidated = tonumber(redis.call('ZSCORE', KEYS[1], '') or '0')
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - g), 'LIMIT', 0, 16)
if #old > 0 then redis.call('ZREM', KEYS[1], unpack(old)) end
local px = math.ceil(ttl + g / 1000)
if redis.call('PTTL', KEYS[1]) < px then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', px)) end
if invalidated <= since and now - since <= g / 2 then return 1 end
return 0
