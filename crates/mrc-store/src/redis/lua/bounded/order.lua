-- The functions that the policies may call.
local function at(command)
  local found = redis.call(command, index, 0, 0, 'WITHSCORES')
  return found[2] and tonumber(found[2]) or nil
end
local function lowest() return at('ZRANGE') end
local function highest() return at('ZREVRANGE') end
local function last() return (highest() or 0) + 1 end
-- If the server's clock was set back, the place behind all entries.
local function latest() return math.max(micros, last()) end
