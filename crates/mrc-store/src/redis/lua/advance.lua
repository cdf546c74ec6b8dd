-- KEYS: position, lease   ARGV: owner, the expected position or '', the new one, its TTL in ms
-- 1: written | 0: the owner has no lease | a text: the position is this, or '' for none
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local p = redis.call('HGET', KEYS[1], 'position') or ''
-- The same position again: the answer to an earlier call was lost, or the follower is idle.
if p ~= ARGV[2] and p ~= ARGV[3] then return p end
local t = redis.call('TIME')
local at = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HSET', KEYS[1], 'position', ARGV[3], 'at', at)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
