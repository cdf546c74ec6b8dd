"""Drives the PyPI package by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.

Arguments: Redis URL, MySQL URL; either may be empty.
"""

import asyncio
import base64
import json
import sys
import traceback
from datetime import date, datetime
from urllib.parse import unquote, urlparse

# The package prints its errors, and stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

from mysql_redis_cache import MRCClient, MRCServer  # noqa: E402


def redis_config(url):
    """The package's server takes no URL, only the arguments of redis.Redis."""
    parts = urlparse(url)
    config = {"host": parts.hostname, "port": parts.port or 6379, "db": int(parts.path.lstrip("/") or 0)}
    if parts.password:
        config["password"] = unquote(parts.password)
    return config


def revive(fields):
    """What JSON has no word for: {"$date": ISO 8601 text}, {"$bytes": base64}."""
    match fields:
        case {"$date": str(text)} if "T" in text:
            return datetime.fromisoformat(text.removesuffix("Z"))
        case {"$date": str(text)}:
            return date.fromisoformat(text)
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
    return fields


async def run(client, server, request):
    def pick(*names):
        return {name: request[key] for name, key in names if key in request}

    query = pick(("query", "query"), ("params", "params"), ("param_names", "names"))
    ttl = pick(("ttl", "ttl"))
    match request["op"]:
        case "key":
            return client.get_key_from_query(**query)
        case "query":
            return await client.query_with_cache(**query, **ttl)
        case "read":
            return await client.read_from_cache(**query)
        case "write":
            return await client.write_to_cache(value=request["value"], **query, **ttl)
        case "with":
            ran = False

            async def build():
                nonlocal ran
                ran = True
                return request["value"]

            value = await client.with_cache(build, **query, **ttl)
            return {"value": value, "ran": ran}
        case "drop":
            return await server.drop_outdated_cache(
                request["names"], request["values"], **pick(("require_all_match", "all"))
            )
    raise ValueError(f"unknown op {request['op']}")


async def main():
    redis_url, mysql_url = sys.argv[1:3]
    redis = redis_config(redis_url) if redis_url else None
    async with MRCClient(mysql_url, redis) as client, MRCServer(redis) as server:
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            try:
                answer = {"ok": await run(client, server, json.loads(line, object_hook=revive))}
            except Exception:
                answer = {"error": traceback.format_exc()}
            print(json.dumps(answer), file=answers, flush=True)


asyncio.run(main())
