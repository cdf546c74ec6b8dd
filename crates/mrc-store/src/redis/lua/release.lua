-- Ends the claim of a token. 1: released | 0: the claim was no longer the token's
local function release(key, lease, copy, token)
  if look('GET', lease) ~= token then return 0 end
  redis.call('DEL', lease)
  for _, k in ipairs({key, copy}) do
    if look('STRLEN', k) == 0 then redis.call('DEL', k) end
  end
  return 1
end
