"""Measures the PyPI package redis_func_cache by its decorator.

Arguments: Redis URL; `async` or `sync`, the kind of client and of function that is decorated.
"""

import functools
import itertools
import json

from decorated import MODE, REDIS_URL, function, measure, orders, orders_sync, row, serve
import redis
import redis.asyncio
import redis_func_cache

POLICIES = {"lru_t": "LruTPolicy", "lfu": "LfuPolicy"}
TTL, HOT = 3600, 20_000
client = redis.asyncio.from_url(REDIS_URL) if MODE == "async" else redis.from_url(REDIS_URL)

# Entries as the package has them: two real fields, and up to the next ones such as calls of other functions have.
FILL = """
local number, value, each, time = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'lru_t' and redis.call('TIME')
for i = 5, #ARGV, 2 do
  for j = 0, each - 1 do
    local field = j < 2 and ARGV[i + j] or string.sub(redis.sha1hex(number), 1, 16)
    redis.call('ZADD', KEYS[1], time and time[1] * 1000000 + time[2] or 1, field)
    redis.call('HSET', KEYS[2], field, value)
    number = number + 1
  end
end
redis.call('EXPIRE', KEYS[1], 3600)
redis.call('EXPIRE', KEYS[2], 3600)
"""


@functools.cache
def made(policy, entries):
    """The cache of this policy and size, and its function."""
    policy = getattr(redis_func_cache, POLICIES[policy])()
    cache = redis_func_cache.RedisFuncCache(f"bench-{entries}", policy, client=client, maxsize=entries, ttl=TTL)
    return cache, cache(function)


async def fill(request):
    policy, entries = request["policy"], request["entries"]
    cache, _ = made(policy, entries)
    keys, value = cache.policy.calc_keys(function, (), {}), json.dumps(row(0))
    hot = min(entries // 2, HOT)
    each = entries // hot
    for first in range(0, hot, 500):
        ids = range(first, min(first + 500, hot))
        # One for each process that will hit it: the kind of function is a part of the field.
        fields = [cache.policy.calc_hash(kind, (i * each,), {}) for i in ids for kind in (orders, orders_sync)]
        answer = client.eval(FILL, 2, *keys, first * each, value, each, policy, *fields)
        if MODE == "async":
            await answer
    return {"entries": entries}


async def calls(request):
    entries, hot = request["entries"], min(request["entries"] // 2, HOT)
    _, cached = made(request["policy"], entries)
    numbers = itertools.count(request["first"])
    order_ids = (entries + number if request["miss"] else number * 7919 % hot * (entries // hot) for number in numbers)
    return await measure(cached, order_ids, request)


async def answer(request):
    return await (fill if request["op"] == "fill" else calls)(request)


serve(answer)
