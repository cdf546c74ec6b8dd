-- The registry of schemes is a hash: tag of a scheme -> 'since ends text', with the moment of the
-- registration in µs, its end in ms, and the text of the tag. '' -> 'born version', both moments.

-- Returns a registration that hasn't ended, as its moment, its end and its text.
local function registered(value, now)
  if not value then return nil end
  local since, ends, text = string.match(value, '^(%d+) (%d+) (.*)$')
  if not since or tonumber(ends) <= now then return nil end
  return tonumber(since), tonumber(ends), text
end

local function ms_now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function write(registry, tag, since, ends, text)
  redis.call('HSET', registry, tag, string.format('%.0f %.0f %s', since, ends, text))
end

local function keep(registry, ms)
  if redis.call('PTTL', registry) < ms then redis.call('PEXPIRE', registry, string.format('%.0f', ms)) end
end
