-- KEYS: key, lease, copy   ARGV: token
-- 1: released | 0: the claim was no longer ours
if look('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
for _, k in ipairs({KEYS[1], KEYS[3]}) do
  if look('STRLEN', k) == 0 then redis.call('DEL', k) end
end
return 1
