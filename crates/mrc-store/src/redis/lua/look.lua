-- Reads a text or an index. A key of a foreign type counts as absent, and is removed.
-- Returns the answer, and whether the key had a foreign type.
local function look(command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer, false end
  local foreign = string.find(answer.err, 'WRONGTYPE', 1, true) ~= nil
  if foreign then redis.call('UNLINK', key) end
  return redis.call(command, key, ...), foreign
end

-- Returns whether a key holds a value: a text with more than marks. Rarely reads it whole.
local function holds(key)
  local value = '[^ \n]'
  return (string.find(look('GETRANGE', key, 0, 63), value) or string.find(redis.call('GET', key) or '', value)) ~= nil
end

-- Returns the remaining ms of a lease, or nil. A lease without a TTL or with no token isn't ours:
-- it counts as absent.
local function lease_left(key)
  local left = redis.call('PTTL', key)
  if left < 0 then return nil end
  local token = look('GET', key)
  if not token or #token ~= 32 or string.find(token, '[^0-9a-f]') then return nil end
  return left
end
