"""Drives the PyPI package redis_func_cache by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.

Argument: Redis URL; with the scheme redis-cluster:// a cluster's. Each request describes its cache: `name`, `policy` (a class of the
package), and where they aren't the package's defaults `maxsize`, `ttl`, `update_ttl`; `hash` is the mixin, by default `JsonMd5`.
"""

import json
import sys
import traceback
from dataclasses import replace

# stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

import redis  # noqa: E402
import redis_func_cache  # noqa: E402
from redis_func_cache.mixins import hash as mixins  # noqa: E402

url = sys.argv[1]
if url.startswith("redis-cluster:"):
    client = redis.RedisCluster.from_url(url.replace("redis-cluster:", "redis:").partition("?")[0])
else:
    client = redis.Redis.from_url(url)


def cache_of(request):
    """The cache that a request describes. What Rust can compute too: JSON, and no bytecode."""
    policy = getattr(redis_func_cache, request["policy"])
    config = getattr(mixins, request.get("hash", "JsonMd5") + "HashMixin").__hash_config__
    policy = type("Json" + request["policy"], (policy,), {"__hash_config__": replace(config, use_bytecode=False)})
    settings = {name: request[name] for name in ("maxsize", "ttl", "update_ttl") if name in request}
    return redis_func_cache.RedisFuncCache(request["name"], policy(), client=client, **settings)


def call(cache, request):
    """Calls a decorated function of this module and name, in a mode: what it returned, whether it ran, and its keys."""
    ran = False

    def function(*args, **kwargs):
        nonlocal ran
        ran = True
        return request["value"]

    function.__module__, function.__qualname__ = request["module"], request["qualname"]
    cached = cache(function, ttl=request.get("item_ttl"))
    mode = replace(cache.get_mode(), **request.get("mode", {}))
    with cache.mode_context(mode):
        value = cached(*request.get("args", []), **request.get("kwargs", {}))
    return {"value": value, "ran": ran, "keys": cache.policy.calc_keys(cached.__wrapped__)}


def run(request):
    cache = cache_of(request)
    match request["op"]:
        case "call":
            return call(cache, request)
        case "size":
            return cache.policy.get_size()
        case "purge":
            return cache.policy.purge()
    raise ValueError(f"unknown op {request['op']}")


while line := sys.stdin.readline():
    try:
        answer = {"ok": run(json.loads(line))}
    except Exception:
        answer = {"error": traceback.format_exc()}
    print(json.dumps(answer), file=answers, flush=True)
