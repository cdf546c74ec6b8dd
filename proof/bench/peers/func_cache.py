"""Measures the PyPI package redis_func_cache by its decorator: one JSON request a line on stdin, one JSON answer a line on stdout.

Arguments: Redis URL; `async` or `sync`, the kind of client and of function that is decorated.
"""

import asyncio
import functools
import itertools
import json
import math
import sys
import time

# stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

import redis  # noqa: E402
import redis.asyncio  # noqa: E402
import redis_func_cache  # noqa: E402

REDIS_URL, MODE = sys.argv[1:3]
POLICIES = {"lru_t": "LruTPolicy", "lfu": "LfuPolicy"}
TTL, HOT = 3600, 20_000
client = redis.asyncio.from_url(REDIS_URL) if MODE == "async" else redis.from_url(REDIS_URL)
ran = 0

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


def row(order_id):
    global ran
    ran += 1
    return [
        {
            "id": order_id,
            "store_id": 6,
            "state": "shipped",
            "customer": f"Customer {order_id:08}",
            "total": 41.25,
            "items": 2,
            "created_at": "2025-01-15T10:31:00",
            "paid": 1,
        }
    ]


async def orders(order_id):
    return row(order_id)


def orders_sync(order_id):
    return row(order_id)


function = orders if MODE == "async" else orders_sync


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


async def measure(request):
    entries, miss, callers = request["entries"], request["miss"], request["callers"]
    _, cached = made(request["policy"], entries)
    numbers, share = itertools.count(request["first"]), math.ceil(request["calls"] / callers)
    hot = min(entries // 2, HOT)

    async def caller():
        seen = 0
        for _ in range(share):
            number = next(numbers)
            order_id = entries + number if miss else number * 7919 % hot * (entries // hot)
            seen += len(await cached(order_id) if MODE == "async" else cached(order_id))
        return seen

    before, cpu, wall = ran, time.process_time(), time.perf_counter()
    seen = sum(await asyncio.gather(*(caller() for _ in range(callers))))
    work = {"calls": share * callers, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "seen": seen}
    if ran - before != (share * callers if miss else 0):
        raise RuntimeError(f"the function ran {ran - before} times")
    return work


async def main():
    while line := sys.stdin.readline():
        request = json.loads(line)
        answer = await (fill if request["op"] == "fill" else measure)(request)
        print(json.dumps(answer), file=answers, flush=True)


asyncio.run(main())
