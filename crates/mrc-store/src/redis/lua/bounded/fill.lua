-- KEYS: structure, lease, perhaps registry of schemes, index of a tag, its bucket, and so on
-- ARGV: field, token, value, its TTL in ms, its tags as JSON or nothing, room, kind and ms of life;
-- with a registry also: its name in an index, and the arguments of `track_entry`
-- {1, evicted}: stored | {2, evicted}: not stored yet, call again | {0, 0}: refused
-- {3, 0}: refused because of a tag, and the claim stands
if look('GET', KEYS[6]) ~= ARGV[2] then return {0, 0} end
if KEYS[7] and not track_entry(ARGV[9], ARGV[4], KEYS[7], 7, 9) then return {3, 0} end
make_whole()
local before, place = read(ARGV[1])
if not before or (#before > 0 and before:byte(-1) ~= 32) then return {0, 0} end
local answer = store(ARGV[1], place, ARGV[3], tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8]))
if answer[1] == 1 then redis.call('DEL', KEYS[6]) end
return answer
