-- KEYS: structure, leases
-- ARGV: how many tags, the tags of the invalidation, first that of the index, fields
-- for each field: number of removed values, 0 or 1 | -1: lacks another tag, stays in the index
local answers, count = {}, tonumber(ARGV[1])
for i = count + 2, #ARGV - 1 do
  local field = ARGV[i]
  local value = read(field)
  -- Under a lease, a fill may have registered itself already: refuse it, whatever the entry was.
  local leased, lacks = redis.call('EXISTS', KEYS[5 + i - count - 1]) == 1, nil
  local known, has = pcall(cjson.decode, redis.call('HGET', tags, field) or '')
  if not leased and known and type(has) == 'table' then
    for j = count, 1, -1 do
      if has[ARGV[1 + j]] == nil then lacks = j end
    end
  end
  local answer = 0
  if lacks and lacks > 1 then
    answer = -1
  elseif not lacks and value and (leased or string.find(value, '\n ?$')) then
    if value ~= '' then answer = 1 end
    forget({field})
  end
  answers[#answers + 1] = answer
end
return answers
