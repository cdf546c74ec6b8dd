-- KEYS: position, lease
-- {position, its age in ms, the owner of the lease or '', lag in ms, 1 (by schemes) or 0}
-- {}: there is no position
local p = redis.call('HMGET', KEYS[1], 'position', 'at', 'lag', 'schemes')
if not p[1] then return {} end
local t = redis.call('TIME')
local age = t[1] * 1000 + math.floor(t[2] / 1000) - tonumber(p[2] or '0')
return {p[1], math.max(age, 0), redis.call('GET', KEYS[2]) or '', p[3] or '0', p[4] or '0'}
