-- A structure: the order of its entries (a sorted set, or a set if is_set), their values, their
-- ends in ms, the claims' ends in ms, the entries' tags. The last argument of every script is 1 if
-- Python shares the structure, else 0. Python knows neither ends nor claims.
local index, values, ends, claims, tags = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local time = redis.call('TIME')
local micros = time[1] * 1e6 + time[2]
local now = micros / 1000
local theirs = ARGV[#ARGV] == '1'
local AT_ONCE = 1000

local function text(number) return string.format('%.17g', number) end

local function size() return redis.call(is_set and 'SCARD' or 'ZCARD', index) end

-- Removes values that are no longer in the order, at most AT_ONCE.
local function forget_values(fields)
  if #fields == 0 then return end
  local gone = redis.call('HDEL', values, unpack(fields))
  if theirs and gone < #fields then
    -- Valkey 9 can't delete an expired field, and counts it, as Python does: so write it first.
    for _, field in ipairs(fields) do redis.call('HSET', values, field, '') end
    redis.call('HDEL', values, unpack(fields))
  end
  redis.call('ZREM', ends, unpack(fields))
  redis.call('HDEL', tags, unpack(fields))
end

-- Removes values and claims, at most AT_ONCE.
local function forget(fields)
  if #fields == 0 then return end
  redis.call(is_set and 'SREM' or 'ZREM', index, unpack(fields))
  redis.call('ZREM', claims, unpack(fields))
  forget_values(fields)
end

-- Returns the place of an entry in the order, or nil.
local function place_of(field)
  if is_set then return redis.call('SISMEMBER', index, field) == 1 and 0 or nil end
  local place = redis.call('ZSCORE', index, field)
  return place and tonumber(place) or nil
end

-- Removes values without a place, among 32 random fields. Python forgets an expired field, but the
-- server counts the field until its sweep: so the number of fields alone proves nothing.
-- Returns false if the server has no command for random fields; it then expires none either.
local function forget_orphans()
  local some = redis.pcall('HRANDFIELD', values, 32)
  if some.err then return false end
  local orphans = {}
  for _, field in ipairs(some) do
    if not place_of(field) and not redis.call('ZSCORE', claims, field) then orphans[#orphans + 1] = field end
  end
  forget_values(orphans)
  return true
end

-- If the server has evicted a part, or somebody removed a part, the rest is worthless.
local function make_whole()
  local fields, known = redis.call('HLEN', values), size()
  local sum = known + redis.call('ZCARD', claims)
  local lost
  if theirs then
    lost = (fields == 0) ~= (sum == 0) or (fields > sum and not forget_orphans())
  else
    lost = fields ~= sum or redis.call('ZCARD', ends) ~= known
  end
  if lost then redis.call('UNLINK', unpack(KEYS, 1, 5)) end
end

-- Returns whether Python stored the value: it then lacks our line feed, and lives as long as the
-- structure, whatever end the field had before.
local function is_pythons(value) return theirs and value and value ~= '' and not string.find(value, '\n ?$') end

-- Removes up to limit expired entries, and as many claims. Returns the number of removed entries.
local function reap(limit)
  local over = redis.call('ZRANGEBYSCORE', ends, '-inf', text(now), 'LIMIT', 0, limit)
  if theirs then
    for i = #over, 1, -1 do
      if is_pythons(redis.call('HGET', values, over[i])) then
        redis.call('ZREM', ends, over[i])
        redis.call('HDEL', tags, over[i])
        table.remove(over, i)
      end
    end
  end
  forget(over)
  local left = redis.call('ZRANGEBYSCORE', claims, '-inf', text(now), 'LIMIT', 0, limit)
  for _, field in ipairs(left) do
    if redis.call('HGET', values, field) == '' then redis.call('HDEL', values, field) end
    redis.call('ZREM', claims, field)
  end
  return #over
end

-- Returns the value of a field ('' for a claim) and its place, or nil. Removes an expired
-- field, and a field of which a part is missing.
local function read(field)
  local value, place = redis.call('HGET', values, field), place_of(field)
  if not value and not place then return nil end
  local whole = value and (value == '') == (place == nil)
  local over = redis.call('ZSCORE', value == '' and claims or ends, field)
  if not is_pythons(value) and not (over and tonumber(over) > now) then whole = false end
  if not whole then
    forget({field})
    return nil
  end
  return value, place
end

-- Returns the remaining ms of a value, or -1 if it has no end.
local function left_of(field, value)
  local left, over = redis.call('PTTL', values), redis.call('ZSCORE', ends, field)
  if over and not is_pythons(value) and (left < 0 or tonumber(over) - now < left) then return math.ceil(tonumber(over) - now) end
  return left
end

-- Returns whether a sliding life must restart. Ignores 1 %, to save a write for each use.
local function is_due(left, life) return left < life - life / 100 end

-- Makes all parts expire together. Kinds: entries (not before the needed ms), sliding, fixed.
local function expire(kind, life, needed)
  -- Moments, since the clock of Redis 7.0 moves within a script.
  local start, over = math.floor(now), redis.call('PEXPIRETIME', values)
  local left = over < 0 and over or over - start
  if kind == 'entries' then
    left = math.max(left, needed)
  elseif left < 0 or (kind == 'sliding' and is_due(left, life)) then
    left = life
  end
  local at = start + left
  for i = 1, 5 do
    local known = redis.call('PEXPIRETIME', KEYS[i])
    if known == -1 or (known >= 0 and math.abs(known - at) > 1) then redis.call('PEXPIREAT', KEYS[i], text(at)) end
  end
end
