"""Drives the PyPI package simple-dep-cache by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.

Argument: Redis URL. Each request names the prefix of its cache.
"""

import json
import sys
import traceback

# stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

from simple_dep_cache import CacheManager, RedisCacheBackend, RedisConfig, cache_with_deps  # noqa: E402
from simple_dep_cache.manager import get_or_create_cache_manager  # noqa: E402

REDIS_URL = sys.argv[1]


def manager(prefix) -> CacheManager:
    """One cache a prefix, which is its name too."""
    config = RedisConfig(url=REDIS_URL, prefix=prefix)
    return get_or_create_cache_manager(name=prefix, config=config, backend=RedisCacheBackend(config))


def call(cache, request):
    """Calls a decorated function of this module and name: whether it ran, its key, and what it returned or raised."""
    ran = False

    def function(*args, **kwargs):
        nonlocal ran
        ran = True
        if "raises" in request:
            raise ValueError(request["raises"])
        return request["value"]

    function.__module__, function.__qualname__ = request["module"], request["qualname"]
    cached = cache_with_deps(
        name=cache.name,
        ttl=request.get("ttl"),
        dependencies=set(request.get("deps", [])),
        cache_exception_types=[ValueError],
    )(function)
    try:
        return {"value": cached(*request.get("args", []), **request.get("kwargs", {})), "ran": ran}
    except ValueError as error:
        return {"raised": str(error), "ran": ran}


def run(request):
    cache = manager(request["prefix"])
    match request["op"]:
        case "call":
            return call(cache, request)
        case "get":
            return cache.get(request["key"])
        case "set":
            return cache.set(request["key"], request["value"], request.get("ttl"), set(request.get("deps", [])))
        case "invalidate":
            return cache.invalidate_dependency(request["dep"])
    raise ValueError(f"unknown op {request['op']}")


while line := sys.stdin.readline():
    try:
        answer = {"ok": run(json.loads(line))}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
