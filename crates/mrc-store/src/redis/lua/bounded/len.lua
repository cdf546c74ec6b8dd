-- the number of entries
make_whole()
reap(AT_ONCE)
return size() - redis.call('ZCOUNT', ends, '-inf', text(now))
