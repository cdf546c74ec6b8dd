-- ARGV: field
-- ms left | -2: no value, or only a claim
local value = read(ARGV[1])
if not value or value == '' then return -2 end
return left_of(ARGV[1], value)
