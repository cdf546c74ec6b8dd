-- KEYS: sets of dependencies, then the entry if there is a value
-- ARGV: the entry's key, its TTL in ms (0: none), TTL of a set whose members may have none, value
-- A set always gets a TTL: if it has none, Python gives it that of the next member.
local ttl, sets = tonumber(ARGV[2]), #KEYS
if ARGV[4] then sets = sets - 1 end
for i = 1, sets do
  local left = redis.call('PTTL', KEYS[i])
  redis.call('SADD', KEYS[i], ARGV[1])
  if ttl == 0 or left == -1 then
    redis.call('PEXPIRE', KEYS[i], ARGV[3])
  elseif left < ttl then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
end
if not ARGV[4] then return 1 end
if ttl > 0 then redis.call('SET', KEYS[#KEYS], ARGV[4], 'PX', ARGV[2]) else redis.call('SET', KEYS[#KEYS], ARGV[4]) end
return 1
