-- ARGV: field
-- ms left | -2: no value, or only a claim
local value = read(ARGV[1])
if not value or value == '' then return -2 end
local left, over = redis.call('PTTL', values), redis.call('ZSCORE', ends, ARGV[1])
if over and not is_pythons(value) and (left < 0 or tonumber(over) - now < left) then left = math.ceil(tonumber(over) - now) end
return left
