-- KEYS: sets of dependencies, then with a value the entry
-- ARGV: the entry's key, its life in ms (0: for ever), the life of a set whose members may live for ever, value
-- A set's life always has an end: where it has none, Python gives it that of the next member.
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
