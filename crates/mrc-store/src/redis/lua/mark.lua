-- KEYS: clock, the indexes of tags, then their buckets   ARGV: how many ms to remember an invalidation
-- Invalidates the tags without an index, as bump does with one. Returns the places of the others,
-- from 0, for which nothing is done.
local count = (#KEYS - 1) / 2
local found, has_index = {}, {}
if redis.call('EXISTS', unpack(KEYS, 2, count + 1)) > 0 then
  for i = 1, count do
    if redis.call('EXISTS', KEYS[i + 1]) == 1 then
      has_index[i] = true
      found[#found + 1] = i - 1
    end
  end
end
-- Without clock no fill in flight has asked for its moment.
if #found == count or redis.call('EXISTS', KEYS[1]) == 0 then return found end
local moment = tick(KEYS[1], 1)
local latest = moment + 86400e6
local marked = redis.call('MGET', unpack(KEYS, count + 2))
for i = 1, count do
  if not has_index[i] then
    local known = tonumber(marked[i] or '')
    if not known or known < tonumber(moment) or known > latest then
      redis.call('SET', KEYS[i + count + 1], moment, 'PX', ARGV[1])
    end
  end
end
return found
