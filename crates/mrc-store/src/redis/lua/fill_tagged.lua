-- KEYS: registry of schemes, then for each fill: key, lease, copy, tags, index of a tag, its bucket,
-- and so on
-- ARGV, for each fill: token, value, its TTL in ms, the copy's TTL in ms, the tags as JSON, 1 (copy)
-- or 0, and the arguments of `track_entry`
-- for each fill 1: stored | 0: refused
local answers, k, a = {}, 1, 0
while k < #KEYS do
  local key, lease, copy, tags, token = KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], KEYS[k + 4], ARGV[a + 1]
  local may_fill, last_key, last_arg = track_entry(key, ARGV[a + 4], KEYS[1], k + 4, a + 6)
  if may_fill then
    answers[#answers + 1] =
      fill(key, lease, copy, tags, token, ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 6])
  else
    release(key, lease, copy, token)
    answers[#answers + 1] = 0
  end
  k, a = last_key, last_arg
end
return answers
