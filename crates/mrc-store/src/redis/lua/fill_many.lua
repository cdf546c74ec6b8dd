-- KEYS: key, lease, copy, and so on for each fill
-- ARGV: token, value, its TTL in ms, the copy's TTL in ms (0: no copy), and so on for each fill
-- the answer to each fill
local answers = {}
for i = 0, #KEYS / 3 - 1 do
  local k, a = i * 3, i * 4
  local copy = ARGV[a + 4] ~= '0' and KEYS[k + 3] or nil
  answers[i + 1] = fill(KEYS[k + 1], KEYS[k + 2], copy, nil, ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4])
end
return answers
