-- KEYS: structure, lease   ARGV: field, token
-- 1: released | 0: the claim was no longer ours
if look('GET', KEYS[6]) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[6])
if redis.call('HGET', values, ARGV[1]) == '' then forget({ARGV[1]}) end
return 1
