-- Registers a key under the tags of its entry, and keeps its schemes registered for `ttl` ms.
-- KEYS[keys + 1] is the index of the first tag, then its bucket, and so on. ARGV[args + 1]: how many
-- µs to remember an invalidation, the number of tags, that of schemes, the moment of each tag in µs,
-- tag of a scheme, its moment, and so on.
-- Returns whether the entry may be filled, and the places of its last key and argument.
local function track_entry(key, ttl, registry, keys, args)
  local count, schemes = tonumber(ARGV[args + 2]), tonumber(ARGV[args + 3])
  local is_current = track(key, ttl, ARGV[args + 1], keys, args + 3, count)
  local moments = args + 3 + count
  local last = moments + 2 * schemes
  return are_registered(registry, ttl, moments + 1, last) and is_current, keys + 2 * count, last
end
