"""Measures the PyPI package simple-dep-cache by its decorator.

Arguments: Redis URL; `async` or `sync`, the kind of function that is decorated.
"""

import itertools

from decorated import MODE, REDIS_URL, function, measure, serve
from simple_dep_cache import RedisConfig, cache_with_deps
from simple_dep_cache.manager import get_or_create_cache_manager

# As many connections as callers: its pool refuses to wait for one.
config = RedisConfig(url=REDIS_URL, prefix="bench", max_connections=64)
get_or_create_cache_manager(name="bench", config=config, create_async_backend=MODE == "async")
cached = cache_with_deps(name="bench", ttl=3600, dependencies={"orders", "StoreId=6", "lang:de"})(function)
ids = itertools.count(1)


async def answer(request):
    if not request["miss"]:
        await cached(0) if MODE == "async" else cached(0)
    return await measure(cached, ids if request["miss"] else itertools.repeat(0), request)


serve(answer)
