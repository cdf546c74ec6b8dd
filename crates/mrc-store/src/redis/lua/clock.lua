-- The time in µs: later than every invalidation's before, and than every time before if it is to invalidate (more is 1).
local function tick(clock, more)
  local t = redis.call('TIME')
  local c = t[1] * 1e6 + t[2]
  local p = tonumber(look('GET', clock) or '')
  -- Neither a text nor a time more than a day ahead is this clock's: it would stand still until then.
  if not p or not (p < c + 86400e6) then p = 0 end
  p = p + more
  if p > c then c = p end
  local s = string.format('%.0f', c)
  -- Removed first, since a full server refuses a script whose first write needs memory.
  redis.call('DEL', clock)
  -- Nothing is kept for ever: after a day without tags there is nothing left to order.
  redis.call('SET', clock, s, 'EX', 86400)
  return s
end
