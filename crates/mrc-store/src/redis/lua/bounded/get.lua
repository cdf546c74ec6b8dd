-- ARGV: field, 1 with tags or 0, kind of life, life in ms
-- the value, or {value, tags as JSON} | nothing: no value, or only a claim
local value, place = read(ARGV[1])
local life = tonumber(ARGV[4])
-- Python's reads prolong only its own parts.
if ARGV[3] == 'sliding' and (theirs or is_due(redis.call('PTTL', values), life)) then expire(ARGV[3], life, 0) end
if not value or value == '' then return false end
-- A full server refuses a new place: serve the value nevertheless.
pcall(use, ARGV[1], place)
if ARGV[2] == '0' then return value end
return {value, redis.call('HGET', tags, ARGV[1]) or ''}
