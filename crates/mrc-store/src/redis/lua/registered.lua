-- Returns whether schemes have been registered since before their moments, and keeps them registered
-- for the life of an entry in ms. ARGV[first] is the tag of a scheme, then its moment in µs, and so
-- on to ARGV[last].
local function are_registered(registry, life, first, last)
  local now = ms_now()
  life = tonumber(life)
  for i = first, last, 2 do
    local since, ends, text = registered(look('HGET', registry, ARGV[i]), now)
    if not since or since > tonumber(ARGV[i + 1]) then return false end
    -- A minute longer, so that not each fill writes.
    if ends < now + life then
      write(registry, ARGV[i], since, now + life + 60000, text)
      keep(registry, life + 60000)
    end
  end
  return true
end
