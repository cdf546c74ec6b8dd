"""The race of src/race.rs against the PyPI package, by its public methods. Argument: Redis URL. Prints one JSON object."""

import asyncio
import json
import sys
from importlib.metadata import version
from urllib.parse import urlparse

# The package prints its errors, and stdout is for the answer.
answer, sys.stdout = sys.stdout, sys.stderr

from mysql_redis_cache import MRCClient, MRCServer  # noqa: E402

CALLERS = 20
SETTLE = 0.5


class Row:
    """A row, with a gate between reading it and handing it over."""

    def __init__(self):
        self.value = "old"
        self.loads = 0
        self.gate = asyncio.Event()

    async def load(self):
        read = self.value
        self.loads += 1
        await self.gate.wait()
        return read

    async def reaches(self, loads):
        end = asyncio.get_running_loop().time() + SETTLE
        while self.loads < loads and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.001)


class Race:
    def __init__(self, client, server):
        self.client, self.server = client, server

    async def read(self, key, row):
        return await self.client.with_cache(row.load, "pypi_race_v1", [key], ["RaceId"], 600)

    async def overtaken(self, key):
        row = Row()
        reader = asyncio.create_task(self.read(key, row))
        await row.reaches(1)
        row.value = "new"
        await self.server.drop_outdated_cache(["RaceId"], [key])
        return row, reader

    async def kept(self, key):
        row, reader = await self.overtaken(key)
        row.gate.set()
        await reader
        return await self.read(key, row) == "old"

    async def handed(self, key):
        row, reader = await self.overtaken(key)
        later = asyncio.create_task(self.read(key, row))
        await row.reaches(2)
        row.gate.set()
        await reader
        return await later == "old"

    async def loads(self, key):
        row = Row()
        callers = [asyncio.create_task(self.read(key, row)) for _ in range(CALLERS)]
        await row.reaches(CALLERS)
        row.gate.set()
        await asyncio.gather(*callers)
        return row.loads


async def main():
    redis = urlparse(sys.argv[1])
    config = {"host": redis.hostname, "port": redis.port}
    async with MRCClient("mysql://unused", config) as client, MRCServer(config) as server:
        race = Race(client, server)
        report = {"kept": await race.kept(22), "handed": await race.handed(23), "loads": await race.loads(24)}
    print(json.dumps({"version": version("actvalue.mysql-redis-cache"), **report}), file=answer)


asyncio.run(main())
