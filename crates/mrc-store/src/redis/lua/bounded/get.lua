-- ARGV: field, 1 with tags or 0, kind of life, life in ms
-- the value, or {value, tags as JSON} | nothing: there is none, or only a claim
local value, place = read(ARGV[1])
if ARGV[3] == 'sliding' then expire(ARGV[3], tonumber(ARGV[4]), 0) end
if not value or value == '' then return false end
use(ARGV[1], place)
if ARGV[2] == '0' then return value end
return {value, redis.call('HGET', tags, ARGV[1]) or ''}
