-- KEYS: registry   ARGV: the version that the caller knows
-- {born, version, text, ...} | {}: it is the same version
local known = look('HGET', KEYS[1], '') or '0 0'
local born, version = string.match(known, '^(%d+) (%d+)$')
if version and version == ARGV[1] then return {} end
local answer, all, now = {born or '0', version or '0'}, redis.call('HGETALL', KEYS[1]), ms_now()
for i = 1, #all, 2 do
  local since, _, text = registered(all[i + 1], now)
  if since then answer[#answer + 1] = text
  elseif all[i] ~= '' then redis.call('HDEL', KEYS[1], all[i]) end
end
return answer
