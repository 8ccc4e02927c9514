// piscina, a package of npm: a pool of 2 threads. Options as name=value, see ../rows.lua; commands.mjs
// says where the package is looked for, and prints its version.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

// A task: a millisecond of work.
export default function task(value) {
  const began = performance.now();
  while (performance.now() - began < 1);
  return value;
}

// Has the pool do tasks, two at a time.
async function doTasks(pool, count) {
  let taken = 0;
  const lane = async () => {
    while (taken++ < count) await pool.run(taken);
  };
  await Promise.all([lane(), lane()]);
}

if (isMainThread) {
  const options = Object.fromEntries(process.argv.slice(2).map((a) => a.split("=")));
  const folder =
    process.env.BENCH_PACKAGES ?? execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim();
  const { Piscina } = createRequire(`${folder}/`)(`${folder}/piscina`);
  const pool = new Piscina({
    filename: fileURLToPath(import.meta.url),
    minThreads: 2,
    maxThreads: 2,
  });
  const count = Number(options.count);
  await doTasks(pool, 100);
  const began = performance.now();
  await doTasks(pool, count);
  console.log((((performance.now() - began) * 2) / count - 1) * 1000);
  await pool.destroy();
}
