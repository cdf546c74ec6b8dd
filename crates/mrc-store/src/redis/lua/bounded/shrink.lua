-- ARGV: the room
-- {1, evicted, still too many}
local evicted = make_room(tonumber(ARGV[1]), 0)
return {1, evicted, math.max(0, size() - tonumber(ARGV[1]))}
