-- the number of entries before
make_whole()
local count = size() - redis.call('ZCOUNT', ends, '-inf', text(now))
redis.call('UNLINK', unpack(KEYS, 1, 5))
return count
