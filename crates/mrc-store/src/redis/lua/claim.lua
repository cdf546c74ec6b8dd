-- Claims a key for the holder of a token, for some ms. `copy` is nil without one. `least` is the
-- minimal remaining ms of a refreshed value ('0' for a fill).
-- {2, value}: a value exists | {0, ms left}: another caller is filling | {1}: granted
local function claim(key, lease, copy, token, ms, least)
  local v = look('GET', key)
  -- A text of marks only is no value, and no claim writes such a text.
  if v and #v > 0 and not string.find(v, '[^ \n]') then v = false end
  if v and #v > 0 and (least == '0' or redis.call('PTTL', key) > tonumber(least)) then return {2, v} end
  local left = v and lease_left(lease)
  if left then return {0, left} end
  if not v or #v == 0 then redis.call('SET', key, '', 'PX', ms)
  elseif v:byte(-1) ~= 32 then redis.call('APPEND', key, ' ') end
  redis.call('SET', lease, token, 'PX', ms)
  if copy and look('STRLEN', copy) == 0 then redis.call('SET', copy, '', 'PX', ms) end
  return {1}
end
