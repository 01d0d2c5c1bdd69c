// Jobs per second of graphile-worker with the batching of its own performance test (concurrency 24, local queue of 500,
// completions in batches). A line on standard input is the number of jobs of one slice; a line on standard output is the
// answer. Usage: node worker.js PORT
"use strict";
const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");
const { EventEmitter, once } = require("node:events");
const installed = createRequire(`${process.cwd()}/`);
const { run, runMigrations, Logger } = installed("graphile-worker");
const { Pool } = installed("pg");

const pgPool = new Pool({ host: "127.0.0.1", port: Number(process.argv[2]), user: "postgres", database: "postgres", max: 20 });
pgPool.on("error", () => {});
pgPool.on("connect", (client) => client.on("error", () => {}));
const logger = new Logger(() => (level, message) => level === "error" && console.error(message));
const preset = { worker: { concurrentJobs: 24, maxPoolSize: 20, pollInterval: 2000,
                           localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } };

async function slice(jobs) {
  await pgPool.query(`SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_record(
    null::graphile_worker.job_spec, json_build_object('identifier', 'nothing', 'payload', json_build_object('n', n)))
    FROM generate_series(1, $1) n))`, [jobs]);
  const events = new EventEmitter();
  const done = new EventEmitter();
  let began = 0n, left = jobs;
  events.on("job:start", () => { if (!began) began = process.hrtime.bigint(); });
  events.on("job:complete", () => { if (--left === 0) done.emit("done"); });
  const finished = once(done, "done");
  const runner = await run({ pgPool, preset, events, logger, noHandleSignals: true, taskList: { nothing: () => {} } });
  await finished;
  await runner.stop();  // the last completions are in the database
  const ended = process.hrtime.bigint();
  const rest = await pgPool.query("SELECT count(*)::int AS n FROM graphile_worker.jobs");
  if (rest.rows[0].n !== 0) throw new Error(`${rest.rows[0].n} jobs are left`);
  return jobs / (Number(ended - began) / 1e9);
}

(async () => {
  await runMigrations({ pgPool, logger });
  for await (const line of createInterface({ input: process.stdin })) console.log((await slice(Number(line))).toFixed(1));
  await pgPool.end();
})().catch((error) => { console.error(error); process.exit(1); });
