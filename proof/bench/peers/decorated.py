"""The shared part of the packages with a decorator: one JSON request a line on stdin, one JSON answer a line on stdout."""

import asyncio
import json
import math
import sys
import time

# Import this module first: packages print too, and stdout is for answers.
answers, sys.stdout = sys.stdout, sys.stderr

REDIS_URL, MODE = sys.argv[1:3]
ran = 0


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


async def measure(cached, order_ids, request):
    """Calls `cached` with the next of `order_ids`, as often and by as many callers as the request says."""
    callers, share = request["callers"], math.ceil(request["calls"] / request["callers"])

    async def caller():
        seen = 0
        for _ in range(share):
            order_id = next(order_ids)
            seen += len(await cached(order_id) if MODE == "async" else cached(order_id))
        return seen

    before, cpu, wall = ran, time.process_time(), time.perf_counter()
    seen = sum(await asyncio.gather(*(caller() for _ in range(callers))))
    work = {"calls": share * callers, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "seen": seen}
    if ran - before != (share * callers if request["miss"] else 0):
        raise RuntimeError(f"the function ran {ran - before} times")
    return work


def serve(answer):
    """Answers each request with the result of `answer`, until stdin ends."""

    async def main():
        while line := sys.stdin.readline():
            print(json.dumps(await answer(json.loads(line))), file=answers, flush=True)

    asyncio.run(main())
