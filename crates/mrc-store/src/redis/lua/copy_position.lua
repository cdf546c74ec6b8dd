-- KEYS: a copy of the position   ARGV: the position's number, the position, its TTL in ms, the history
-- that the server must have, or '' for that of the copy
-- {}: written | {number, position, history}: the server has a later history than this, or {0, '', ..}
local known, now = redis.call('HMGET', KEYS[1], 'number', 'position', 'history'), history()
local expected = ARGV[4] ~= '' and ARGV[4] or known[3]
if expected ~= now then return {tonumber(known[1] or '0'), known[2] or '', now} end
-- Removed first, because a full server refuses a script whose first write needs memory.
redis.call('HDEL', KEYS[1], 'position')
redis.call('HSET', KEYS[1], 'number', ARGV[1], 'position', ARGV[2], 'history', now)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {}
