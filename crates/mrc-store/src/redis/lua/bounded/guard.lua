-- Runs the step. A key of a foreign type makes its structure worthless, as an eviction of a part
-- does. A lease of a foreign type counts as absent. Remove them, with all that the step did
-- before, and run the step once more.
local done, answer = pcall(step)
if done then return answer end
if not string.find(type(answer) == 'table' and answer.err or answer, 'WRONGTYPE', 1, true) then error(answer, 0) end
local kinds, foreign = {[2] = 'hash', [3] = 'zset', [4] = 'zset', [5] = 'hash'}, false
for i = 1, math.min(#KEYS, 6) do
  local key = KEYS[i]
  local kind = redis.call('TYPE', key).ok
  local fits = kind == 'none' or kind == (kinds[i] or 'string')
  if i == 1 then fits = kind == 'none' or orders[kind] end
  if not fits then
    redis.call('UNLINK', key)
    foreign = foreign or i <= 5
  end
end
if foreign then redis.call('UNLINK', unpack(KEYS, 1, 5)) end
return step()
