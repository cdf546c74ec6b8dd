-- how many entries there are
make_whole()
reap(AT_ONCE)
return size() - redis.call('ZCOUNT', ends, '-inf', text(now))
