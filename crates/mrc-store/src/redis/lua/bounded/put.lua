-- ARGV: field, value, its life in ms, the room, kind of life, life in ms
-- {1, evicted}: stored | {2, evicted}: not yet, once more
make_whole()
local _, place = read(ARGV[1])
return store(ARGV[1], place, ARGV[2], tonumber(ARGV[3]), '', tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]))
