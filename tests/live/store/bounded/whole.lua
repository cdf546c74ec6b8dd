-- "whole" and how many entries there are, or what is wrong
local index, values, ends, claims, tags = unpack(KEYS)
local kind = redis.call('TYPE', index).ok
local fields
if kind == 'set' then fields = redis.call('SMEMBERS', index) else fields = redis.call('ZRANGE', index, 0, -1) end
for _, field in ipairs(fields) do
  local value = redis.call('HGET', values, field)
  if not value or value == '' then return field .. ' is in the order, and has no value' end
  if not redis.call('ZSCORE', ends, field) then return field .. ' has no end' end
  if redis.call('ZSCORE', claims, field) then return field .. ' has a value, and is among the claims' end
  if string.find(value, '\n') and redis.call('HEXISTS', tags, field) == 0 then return field .. ' has lost its tags' end
end
local held = redis.call('ZRANGE', claims, 0, -1)
for _, field in ipairs(held) do
  if redis.call('HGET', values, field) ~= '' then return field .. ' is among the claims, and is none' end
end
if redis.call('HLEN', values) ~= #fields + #held then return 'there are other values' end
if redis.call('ZCARD', ends) ~= #fields then return 'there are other ends' end
for _, field in ipairs(redis.call('HKEYS', tags)) do
  if (redis.call('HGET', values, field) or '') == '' then return field .. ' has tags, and no value' end
end
local life
for _, key in ipairs(KEYS) do
  local at = redis.call('PEXPIRETIME', key)
  if at == -1 then return key .. ' stays for ever' end
  if at >= 0 and life and math.abs(life - at) > 2 then return key .. ' does not end with the others' end
  if at >= 0 then life = at end
end
return 'whole ' .. #fields
