-- KEYS: key
-- ms left | -1: a value without a TTL | -2: no value, or only a claim
if not holds(KEYS[1]) then return -2 end
return redis.call('PTTL', KEYS[1])
