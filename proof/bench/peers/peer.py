"""Measures the PyPI package by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.

Arguments: Redis URL, MySQL URL; either may be empty.
"""

import asyncio
import json
import math
import sys
import time

# The package prints its errors, and stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

from mysql_redis_cache import MRCClient  # noqa: E402


async def hit(client, request):
    query, callers, calls = request["query"], request["callers"], request["calls"]
    share = math.ceil(calls / callers)

    async def caller():
        seen = 0
        for _ in range(share):
            seen += len(await client.query_with_cache(query, [6], ["StoreId"], 3600))
        return seen

    cpu, wall = time.process_time(), time.perf_counter()
    seen = sum(await asyncio.gather(*(caller() for _ in range(callers))))
    return {
        "calls": share * callers,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "seen": seen,
    }


async def main():
    redis_url, mysql_url = sys.argv[1:3]
    async with MRCClient(mysql_url, redis_url) as client:
        # Nothing else runs between two requests, so a blocking read is fine, and costs no thread.
        while line := sys.stdin.readline():
            print(json.dumps(await hit(client, json.loads(line))), file=answers, flush=True)


asyncio.run(main())
