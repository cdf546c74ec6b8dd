-- KEYS: perhaps the clock, then key, lease, copy, and so on for each claim
-- ARGV: token, lease in ms, minimal remaining ms, 1 (copy) or 0, and so on for each claim
-- the answer to each claim, and with the clock its time in µs
local answers, clock = {}, #KEYS % 3
for i = 0, (#KEYS - clock) / 3 - 1 do
  local k, a = clock + i * 3, i * 4
  local copy = ARGV[a + 4] == '1' and KEYS[k + 3] or nil
  answers[i + 1] = claim(KEYS[k + 1], KEYS[k + 2], copy, ARGV[a + 1], ARGV[a + 2], ARGV[a + 3])
end
if clock == 1 then answers[#answers + 1] = tick(KEYS[1], 0) end
return answers
