// Packages of npm that run commands: execa and zx. Options as name=value, see ../rows.lua, and
//
//   package=NAME  execa or zx, in the folder BENCH_PACKAGES or npm's global one
//   version=1     print its version, and do nothing else
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";

const options = Object.fromEntries(process.argv.slice(2).map((a) => a.split("=")));
const now = () => performance.now() / 1000;

const folder =
  process.env.BENCH_PACKAGES ?? execFileSync("npm", ["root", "-g"], { encoding: "utf8" }).trim();
const root = `${folder}/${options.package}`;
const description = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
if (options.version) {
  console.log(description.version);
  process.exit();
}

const file = { execa: "index.js", zx: "build/index.js" }[options.package];
const { execa, $ } = await import(pathToFileURL(`${root}/${file}`));

const contestants = {
  execa: {
    run: () => execa(options.program),
    pipe: (total) =>
      execa(options.from, [options.piece, String(total)], { buffer: false })
        .pipe("cat", { buffer: false })
        .pipe(options.to, { buffer: false }),
  },
  zx: {
    run: () => $`${options.program}`.quiet(),
    pipe: (total) => $`${options.from} ${options.piece} ${total}`.pipe($`cat`).pipe($`${options.to}`),
  },
};
const { run, pipe } = contestants[options.package];

// Microseconds that each command took, one after the other.
async function commandFor(time) {
  const began = now();
  let count = 0;
  do {
    await run();
    count++;
  } while (now() - began < time);
  return ((now() - began) / count) * 1e6;
}

async function pipelineAll(total) {
  const began = now();
  await pipe(total);
  return total / (now() - began) / 1e9;
}

// First a shorter time as a warm-up, then the one that counts.
async function twice(measure, amount) {
  await measure(amount / 5);
  return measure(amount);
}

const works = {
  command: () => twice(commandFor, Number(options.seconds)),
  pipeline: () => twice(pipelineAll, Number(options.bytes)),
};
console.log(String(await works[options.work]()));
