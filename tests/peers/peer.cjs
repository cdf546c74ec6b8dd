// Drives the npm package by its public methods: one JSON request a line on stdin, one JSON answer a line on stdout.
// Arguments: Redis URL, MySQL URL; either may be empty.
"use strict";

// The package logs by console.log, and stdout is for answers.
console.log = console.error;

const { MRCClient, MRCServer } = require("@actvalue/mysql-redis-cache");
const readline = require("node:readline");

const [redisUrl, mysqlUrl] = process.argv.slice(2);
const redis = redisUrl ? { url: redisUrl } : undefined;
const client = new MRCClient({ uri: mysqlUrl }, redis);
const server = new MRCServer(redis);

// What JSON has no word for: {"$date": ISO 8601 text}, {"$bytes": base64}.
const revive = (_, value) =>
  value?.$date ? new Date(value.$date) : value?.$bytes !== undefined ? Buffer.from(value.$bytes, "base64") : value;

const operations = {
  key: (r) => client.getKeyFromQuery(r.query, r.params, r.names),
  query: (r) => client.queryWithCache(r.query, r.params, r.names, r.ttl),
  read: (r) => client.readFromCache(r.query, r.params, r.names),
  write: async (r) => void (await client.writeToCache(r.query, r.value, r.params, r.names, r.ttl)),
  with: async (r) => {
    let ran = false;
    const build = async () => ((ran = true), r.value);
    const value = await client.withCache(build, r.query, r.params, r.names, r.ttl);
    return { value, ran };
  },
  drop: (r) => server.dropOutdatedCache(r.names, r.values, r.all),
};

async function answer(line) {
  try {
    const request = JSON.parse(line, revive);
    return { ok: (await operations[request.op](request)) ?? null };
  } catch (error) {
    return { error: String(error?.stack ?? error) };
  }
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(line)) + "\n");
  }
  process.exit(0);
})();
