-- KEYS: position, lease   ARGV: owner, the expected position or '', the new one, its TTL in ms, the
-- follower's lag in ms, 1 (it goes by schemes) or 0, a name for this call, the name of the call that
-- told the follower to invalidate again or ''
-- written: the number of the position | 0: the owner has no lease | a text: the position is this, or
-- '' for none
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local known, now = redis.call('HMGET', KEYS[1], 'position', 'number', 'history', 'again'), history()
local p, number = known[1] or '', tonumber(known[2] or '0')
-- The same position again: the answer to an earlier call was lost, or the follower is idle.
if p ~= ARGV[2] and p ~= ARGV[3] then return p end
if p ~= ARGV[3] and (known[3] and known[3] ~= now or known[4] and known[4] ~= ARGV[8]) then
  -- What was removed since this position may be back. Only who was told so may go on, after it: what
  -- another one has removed, or whoever has lost the answer, may be from before.
  -- Removed first, because a full server refuses a script whose first write needs memory.
  redis.call('HDEL', KEYS[1], 'again')
  redis.call('HSET', KEYS[1], 'history', now, 'again', ARGV[7])
  return p
end
-- Removed first, because a full server refuses a script whose first write needs memory.
redis.call('HDEL', KEYS[1], 'at')
if p ~= ARGV[3] then redis.call('HDEL', KEYS[1], 'again') end
if p ~= ARGV[3] or number == 0 then number = number + 1 end
local t = redis.call('TIME')
local at = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
redis.call('HSET', KEYS[1], 'position', ARGV[3], 'number', number, 'history', now)
redis.call('HSET', KEYS[1], 'at', at, 'lag', ARGV[5], 'schemes', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return number
