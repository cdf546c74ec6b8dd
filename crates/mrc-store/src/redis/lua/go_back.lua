-- KEYS: position, lease   ARGV: owner, an older position or '', a name for this call
-- the number of the position | 0: the owner has no lease
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
-- Removed first, because a full server refuses a script whose first write needs memory.
redis.call('HDEL', KEYS[1], 'again')
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'position')
else
  redis.call('HSET', KEYS[1], 'position', ARGV[2])
end
redis.call('HSET', KEYS[1], 'again', ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'number', 1)
