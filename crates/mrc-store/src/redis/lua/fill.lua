-- Stores a value for some ms, under the claim of a token. `copy` and `tags` are nil without them;
-- beside tags, `copy` is given in any case, and `has_copy` is 1 or 0.
-- 1: stored | 0: refused
local function fill(key, lease, copy, tags, token, value, ms, copy_ms, tags_json, has_copy)
  if look('GET', lease) ~= token then return 0 end
  local n = look('STRLEN', key)
  if n == 0 and redis.call('EXISTS', key) == 0 then return 0 end
  if n > 0 and not (redis.call('GETRANGE', key, -1, -1) == ' ' and holds(key)) then return 0 end
  redis.call('SET', key, value, 'PX', ms)
  redis.call('DEL', lease)
  if copy and (look('STRLEN', copy) > 0 or redis.call('EXISTS', copy) == 1) then
    redis.call('SET', copy, value, 'PX', copy_ms)
  end
  -- A copy with other tags must not remain beside these tags.
  if tags and has_copy == '0' then redis.call('UNLINK', copy) end
  if tags then redis.call('SET', tags, tags_json, 'PX', copy_ms) end
  return 1
end
