-- ARGV: fields
-- the number of removed entries
local removed = 0
for i = 1, #ARGV - 1 do
  if read(ARGV[i]) then
    removed = removed + 1
    forget({ARGV[i]})
  end
end
return removed
