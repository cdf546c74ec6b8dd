-- KEYS: a set of dependencies   Returns the number of deleted entries.
local members, deleted = redis.call('SMEMBERS', KEYS[1]), 0
for i = 1, #members, 1000 do
  deleted = deleted + redis.call('UNLINK', unpack(members, i, math.min(i + 999, #members)))
end
redis.call('DEL', KEYS[1])
return deleted
