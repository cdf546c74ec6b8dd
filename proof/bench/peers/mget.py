"""Measures redis-py's MGET, with keys and JSON by hand: one JSON request a line on stdin, one JSON answer a line on stdout.

Argument: Redis URL.
"""

import hashlib
import json
import sys
import time

import redis

client = redis.Redis.from_url(sys.argv[1])


def many(request):
    text = hashlib.sha1(request["query"].encode()).hexdigest()
    ids, seen = range(request["from"], request["from"] + request["ids"]), 0
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(request["calls"]):
        found = client.mget([f"OrderId={order_id}_{text}" for order_id in ids])
        orders = {order_id: json.loads(rows)[0] for order_id, rows in zip(ids, found) if rows is not None}
        seen += len(orders)
    return {
        "calls": request["calls"],
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "seen": seen,
    }


while line := sys.stdin.readline():
    print(json.dumps(many(json.loads(line))), flush=True)
