-- ARGV: field, value, its TTL in ms, room, kind of life, life in ms
-- {1, evicted}: stored | {2, evicted}: not stored yet, call again
make_whole()
local _, place = read(ARGV[1])
return store(ARGV[1], place, ARGV[2], tonumber(ARGV[3]), '', tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]))
