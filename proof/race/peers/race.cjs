// The race of src/race.rs against the npm package, by its public methods. Argument: Redis URL. Prints one JSON object.
"use strict";

// The package logs by console.log, and stdout is for the answer.
console.log = console.error;

const { MRCClient, MRCServer } = require("@actvalue/mysql-redis-cache");
const { version } = require("@actvalue/mysql-redis-cache/package.json");
const { setTimeout: sleep } = require("node:timers/promises");

const CALLERS = 20;
const SETTLE = 500;

const redis = { url: process.argv[2] };
const client = new MRCClient({ uri: "mysql://unused" }, redis);
const server = new MRCServer(redis);

// A row, with a gate between reading it and handing it over.
function newRow() {
  const row = { value: "old", loads: 0 };
  const gate = new Promise((open) => (row.openGate = open));
  row.load = async () => {
    const read = row.value;
    row.loads += 1;
    await gate;
    return read;
  };
  row.reaches = async (loads) => {
    for (const start = Date.now(); row.loads < loads && Date.now() - start < SETTLE; ) await sleep(1);
  };
  return row;
}

const read = (key, row) => client.withCache(row.load, "npm_race_v1", [key], ["RaceId"], 600);
const invalidate = (key) => server.dropOutdatedCache(["RaceId"], [key]);

async function overtaken(key) {
  const row = newRow();
  const reader = read(key, row);
  await row.reaches(1);
  row.value = "new";
  await invalidate(key);
  return { row, reader };
}

async function kept(key) {
  const { row, reader } = await overtaken(key);
  row.openGate();
  await reader;
  return (await read(key, row)) === "old";
}

async function handed(key) {
  const { row, reader } = await overtaken(key);
  const later = read(key, row);
  await row.reaches(2);
  row.openGate();
  await reader;
  return (await later) === "old";
}

async function loads(key) {
  const row = newRow();
  const callers = Array.from({ length: CALLERS }, () => read(key, row));
  await row.reaches(CALLERS);
  row.openGate();
  await Promise.all(callers);
  return row.loads;
}

(async () => {
  // The client connects at the first call, and not once for all callers of a first moment.
  const first = newRow();
  first.openGate();
  await read(11, first);
  const report = { version, kept: await kept(12), handed: await handed(13), loads: await loads(14) };
  process.stdout.write(JSON.stringify(report) + "\n");
  process.exit(0);
})();
