-- KEYS: registry, clock   ARGV: its life in ms, how many schemes a table may have, tag, text, ...
-- for each scheme 1: registered | 0: the table has too many
local now, life, most = ms_now(), tonumber(ARGV[1]), tonumber(ARGV[2])
local answers, new = {}, {}
for i = 3, #ARGV, 2 do
  local since, ends, text = registered(look('HGET', KEYS[1], ARGV[i]), now)
  answers[#answers + 1] = 1
  if not since then new[#new + 1] = i
  elseif ends < now + life then write(KEYS[1], ARGV[i], since, now + life, text) end
end
if #new > 0 then
  -- Rare: once a scheme. Registrations that have ended are removed here.
  local all, counts = redis.call('HGETALL', KEYS[1]), {}
  for i = 1, #all, 2 do
    local since, _, text = registered(all[i + 1], now)
    if since then
      local t = string.match(text, '^[^?]*')
      counts[t] = (counts[t] or 0) + 1
    elseif all[i] ~= '' then
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
  -- Later than the moment of each claim that was made before.
  local moment = tick(KEYS[2], 1)
  for _, i in ipairs(new) do
    local t, columns = string.match(ARGV[i + 1], '^([^?]*)%??(.*)$')
    if columns ~= '' and (counts[t] or 0) >= most then
      answers[(i - 1) / 2] = 0
    else
      counts[t] = (counts[t] or 0) + 1
      write(KEYS[1], ARGV[i], tonumber(moment), now + life, ARGV[i + 1])
    end
  end
  local known = redis.call('HGET', KEYS[1], '')
  local born = known and string.match(known, '^%d+') or moment
  redis.call('HSET', KEYS[1], '', born .. ' ' .. moment)
end
keep(KEYS[1], life)
return answers
