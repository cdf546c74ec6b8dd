"""Measures the PyPI package simple-dep-cache by its decorator: one JSON request a line on stdin, one JSON answer a line on stdout.

Arguments: Redis URL; `async` or `sync`, the kind of function that is decorated.
"""

import asyncio
import itertools
import json
import math
import sys
import time

# stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

from simple_dep_cache import RedisConfig, cache_with_deps  # noqa: E402
from simple_dep_cache.manager import get_or_create_cache_manager  # noqa: E402

REDIS_URL, MODE = sys.argv[1:3]
# As many connections as callers: its pool refuses to wait for one.
config = RedisConfig(url=REDIS_URL, prefix="bench", max_connections=64)
get_or_create_cache_manager(name="bench", config=config, create_async_backend=MODE == "async")
cached = cache_with_deps(name="bench", ttl=3600, dependencies={"orders", "StoreId=6", "lang:de"})
ids, ran = itertools.count(1), 0


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


@cached
async def orders(order_id):
    return row(order_id)


@cached
def orders_sync(order_id):
    return row(order_id)


async def call(order_id):
    return await orders(order_id) if MODE == "async" else orders_sync(order_id)


async def measure(miss, callers, calls):
    share = math.ceil(calls / callers)

    async def caller():
        seen = 0
        for _ in range(share):
            seen += len(await call(next(ids) if miss else 0))
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
        if not request["miss"]:
            await call(0)
        print(json.dumps(await measure(request["miss"], request["callers"], request["calls"])), file=answers, flush=True)


asyncio.run(main())
