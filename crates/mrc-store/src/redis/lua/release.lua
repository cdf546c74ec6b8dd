-- KEYS: key, lease   ARGV: token
-- 1: released | 0: the claim was not ours any more
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if redis.call('STRLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[1]) end
return 1
