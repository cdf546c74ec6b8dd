// Measures the npm package by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.
// Arguments: Redis URL, MySQL URL; either may be empty.
"use strict";

// The package logs by console.log, and stdout is for answers.
console.log = console.error;

const { MRCClient, MRCServer } = require("@actvalue/mysql-redis-cache");
const readline = require("node:readline");

const [redisUrl, mysqlUrl] = process.argv.slice(2);
const client = new MRCClient({ uri: mysqlUrl }, { url: redisUrl });
const server = new MRCServer({ url: redisUrl });

async function measured(calls, work) {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const seen = await work();
  const used = process.cpuUsage(cpu);
  return { calls, wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6, seen };
}

const operations = {
  async hit({ query, callers, calls }) {
    // Several callers must not connect at once: the package would open a connection for each.
    await client.readFromCache(query, [6], ["StoreId"]);
    const share = Math.ceil(calls / callers);
    const caller = async () => {
      let seen = 0;
      for (let i = 0; i < share; i++) seen += (await client.queryWithCache(query, [6], ["StoreId"], 3600)).length;
      return seen;
    };
    return measured(share * callers, async () => {
      const seen = await Promise.all(Array.from({ length: callers }, caller));
      return seen.reduce((sum, n) => sum + n, 0);
    });
  },

  async miss({ query, from, calls }) {
    const latencies = [];
    for (let id = from; id < from + calls; id++) {
      const began = performance.now();
      const rows = await client.queryWithCache(query, [id], ["OrderId"], 3600);
      latencies.push((performance.now() - began) / 1e3);
      if (rows.length !== 1) throw new Error(`order ${id} has ${rows.length} rows`);
    }
    return { latencies };
  },

  async many({ query, from, ids, calls }) {
    // Parallel calls must not connect: see above.
    await client.readFromCache(query, [0], ["OrderId"]);
    const all = Array.from({ length: ids }, (_, at) => from + at);
    return measured(calls, async () => {
      let seen = 0;
      for (let i = 0; i < calls; i++) {
        const found = await Promise.all(all.map((id) => client.queryWithCache(query, [id], ["OrderId"], 3600)));
        seen += found.reduce((sum, rows) => sum + rows.length, 0);
      }
      return seen;
    });
  },

  async drop({ name, value, warm }) {
    // Connects, and touches no entry.
    if (warm) return measured(1, async () => 0 * (await server.dropOutdatedCache(["No"], ["such"])));
    return measured(1, () => server.dropOutdatedCache([name], [value]));
  },
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    process.stdout.write(JSON.stringify(await operations[request.op](request)) + "\n");
  }
  process.exit(0);
})();
