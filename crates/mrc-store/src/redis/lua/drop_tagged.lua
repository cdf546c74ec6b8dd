-- KEYS: key, lease, copy, tags, and so on for each entry
-- ARGV: the tags of the invalidation, first that of the index
-- for each entry: number of removed values, 0 or 1 | -1: lacks another tag, stays in the index
local function has_no_tags(value)
  return string.find(look('GETRANGE', value, -2, -1), '[^\n ] ?$') ~= nil
end

local answers = {}
for i = 1, #KEYS, 4 do
  local key, lease, copy, tags = KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]
  -- Under a lease, a fill may have registered itself already: refuse it, whatever the entry was.
  local leased, lacks = redis.call('EXISTS', lease) == 1, nil
  local read, has = pcall(cjson.decode, look('GET', tags) or '')
  if not leased and read and type(has) == 'table' then
    for j = #ARGV, 1, -1 do
      if has[ARGV[j]] == nil then lacks = j end
    end
  end
  local answer = 0
  if lacks and lacks > 1 then
    answer = -1
  else
    -- A copy may be older than the tags: remove it in any case.
    redis.call('UNLINK', copy)
  end
  if not lacks then
    if leased or not has_no_tags(key) then
      if look('STRLEN', key) > 0 then answer = 1 end
      redis.call('UNLINK', key)
    end
    redis.call('UNLINK', tags)
  end
  answers[#answers + 1] = answer
end
return answers
