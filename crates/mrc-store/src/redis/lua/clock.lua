-- Returns the time in µs: later than every earlier invalidation's.
-- For an invalidation (more is 1) it is also later than every earlier time.
local function tick(clock, more)
  local t = redis.call('TIME')
  local c = t[1] * 1e6 + t[2]
  local p = tonumber(look('GET', clock) or '')
  -- A text, or a time more than a day ahead, isn't ours: the clock would stand still until then.
  if not p or not (p < c + 86400e6) then p = 0 end
  p = p + more
  if p > c then c = p end
  local s = string.format('%.0f', c)
  -- Removed first, because a full server refuses a script whose first write needs memory.
  redis.call('DEL', clock)
  -- Expires: after a day without tags nothing is left to order.
  redis.call('SET', clock, s, 'EX', 86400)
  return s
end
