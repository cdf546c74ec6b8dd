-- KEYS: lease   ARGV: owner, its life in ms
-- 0: the owner has it | the ms until another's lease ends
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return math.max(redis.call('PTTL', KEYS[1]), 1) end
-- Removed first, because a full server refuses a script whose first write needs memory.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 0
