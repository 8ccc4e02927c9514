// node:child_process, for Node, Bun and Deno. Options as name=value, see ../rows.lua. What is
// forked is node_child.mjs.
import { execFile, fork, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { openSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const CHILD = fileURLToPath(new URL("node_child.mjs", import.meta.url));
// How many round trips there are between two looks at the clock.
const ROUNDS_PER_LOOK = 100;

const options = Object.fromEntries(process.argv.slice(2).map((a) => a.split("=")));
const number = (name, fallback) => Number(options[name] ?? fallback);
const seconds = number("seconds", 1);
const bytes = number("bytes", 1e9);
const now = () => performance.now() / 1000;
const closed = (child) => new Promise((resolve) => child.on("close", resolve));

function start() {
  const child = spawn(options.program, [], { stdio: options.pipes ? "pipe" : "ignore" });
  if (options.pipes) {
    child.stdout.resume();
    child.stderr.resume();
  }
  return child;
}

// Keeps `atonce` children running for a time; microseconds that each took.
function spawnFor(time, atOnce) {
  return new Promise((resolve) => {
    const began = now();
    let ended = 0;
    let running = 0;
    const next = () => {
      running++;
      start().on("close", () => {
        running--;
        ended++;
        if (now() - began < time) next();
        else if (running === 0) resolve(((now() - began) / ended) * 1e6);
      });
    };
    for (let i = 0; i < atOnce; i++) next();
  });
}

// Microseconds that each child took, one after the other.
function syncFor(time) {
  const stdio = options.pipes ? "pipe" : "ignore";
  const began = now();
  let count = 0;
  do {
    spawnSync(options.program, [], { stdio });
    count++;
  } while (now() - began < time);
  return ((now() - began) / count) * 1e6;
}

// Microseconds that the call of spawn itself took.
async function callFor(time) {
  const began = now();
  let inCalls = 0;
  let count = 0;
  while (now() - began < time) {
    const before = now();
    const child = start();
    inCalls += now() - before;
    count++;
    await closed(child);
  }
  return (inCalls / count) * 1e6;
}

// Starts the program, reads what it prints, and waits for it.
async function runByHand() {
  const child = spawn(options.program);
  child.stdin.end();
  const stdout = [];
  const stderr = [];
  child.stdout.on("data", (data) => stdout.push(data));
  child.stderr.on("data", (data) => stderr.push(data));
  const code = await closed(child);
  if (code !== 0) throw new Error(`${options.program} has failed: ${code}\n${stderr.join("")}`);
  return stdout.join("");
}

const runFile = promisify(execFile);
const runCommand = async () => (await runFile(options.program)).stdout;

// Microseconds that each call of a function took.
async function callsFor(time, run) {
  const began = now();
  let count = 0;
  do {
    await run();
    count++;
  } while (now() - began < time);
  return ((now() - began) / count) * 1e6;
}

// KiB of memory, microseconds to start, microseconds to end, for each child.
async function keepAlive(count) {
  const resident = () => Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4;
  await closed(spawn("/bin/true", [], { stdio: "ignore" }));
  const before = resident();
  const began = now();
  const children = [];
  for (let i = 0; i < count; i++) children.push(start());
  await Promise.all(children.map((child) => new Promise((done) => child.on("spawn", done))));
  const started = now() - began;
  const memory = resident() - before;
  const ending = now();
  const all = Promise.all(children.map(closed));
  for (const child of children) child.kill();
  await all;
  return [memory / count, (started / count) * 1e6, ((now() - ending) / count) * 1e6].join(" ");
}

function readAll(total) {
  return new Promise((resolve) => {
    const began = now();
    const child = spawn(options.program, [options.piece, String(total)]);
    let count = 0;
    child.stdout.on("data", (data) => (count += data.length));
    child.stdout.on("end", () => resolve(count / (now() - began) / 1e9));
  });
}

function captureAll(total) {
  const began = now();
  const { stdout } = spawnSync(options.program, [options.piece, String(Math.floor(total))], {
    maxBuffer: Infinity,
  });
  return stdout.length / (now() - began) / 1e9;
}

function writeAll(total) {
  return new Promise((resolve) => {
    const piece = Buffer.alloc(number("piece"), "x");
    const began = now();
    const child = spawn(options.program, [], { stdio: ["pipe", "ignore", "ignore"] });
    let count = 0;
    const feed = () => {
      while (count < total) {
        count += piece.length;
        if (!child.stdin.write(piece)) return child.stdin.once("drain", feed);
      }
      child.stdin.end();
    };
    feed();
    child.on("close", () => resolve(count / (now() - began) / 1e9));
  });
}

function pipeAll(total) {
  return new Promise((resolve) => {
    const began = now();
    const from = spawn(options.from, [options.piece, String(total)]);
    const to = spawn(options.to, [], { stdio: ["pipe", "ignore", "ignore"] });
    from.stdout.pipe(to.stdin);
    to.on("close", () => resolve(total / (now() - began) / 1e9));
  });
}

// Microseconds from one send to the next, the message being sent back in between.
function roundTripsFor(time) {
  return new Promise((resolve) => {
    const child = fork(CHILD, ["echo"]);
    let count = 0;
    let began;
    const onEcho = (message) => {
      count++;
      if (count % ROUNDS_PER_LOOK === 0 && now() - began >= time) {
        resolve(((now() - began) / count) * 1e6);
        child.disconnect();
      } else {
        child.send(message);
      }
    };
    child.once("message", () => {
      child.on("message", onEcho);
      began = now();
      child.send({ id: 12345, type: "message" });
    });
  });
}

function makeMessage() {
  if (options.binary) return { bytes: Buffer.alloc(number("binary"), 255) };
  const count = number("rows", 0);
  if (count === 0) return { id: 1, type: "ping" };
  return Array.from({ length: count }, (_, index) => {
    const i = index + 1;
    return { id: i, name: `the name of row ${i}`, value: i / 8, ok: i % 2 === 0 };
  });
}

// Microseconds for each message, until the child has got them all.
function sendFor(time) {
  return new Promise((resolve) => {
    const message = makeMessage();
    const burst = number("burst");
    const child = fork(CHILD, ["count"], { serialization: options.serialization ?? "json" });
    let began;
    const sendBurst = () => {
      if (now() - began >= time) {
        child.send({ stop: true });
        return;
      }
      for (let i = 1; i < burst; i++) child.send(message);
      child.send(message, sendBurst);
    };
    child.once("message", () => {
      child.once("message", (count) => {
        resolve(((now() - began) / count) * 1e6);
        child.disconnect();
      });
      began = now();
      sendBurst();
    });
  });
}

// Microseconds from fork to the first message, one child at a time.
async function firstFor(time) {
  const began = now();
  let waited = 0;
  let count = 0;
  while (now() - began < time) {
    const before = now();
    const child = fork(CHILD, ["idle"]);
    child.once("message", () => {
      waited += now() - before;
      count++;
      child.disconnect();
    });
    await new Promise((resolve) => child.on("exit", resolve));
  }
  return (waited / count) * 1e6;
}

// The memory of a process in KiB; of what others use, too, its share.
function proportionalKiB(pid) {
  return Number(/\nPss:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);
}

// KiB of memory of each child that waits for messages.
async function forkIdle(count) {
  const children = Array.from({ length: count }, () => fork(CHILD, ["idle"]));
  await Promise.all(children.map((child) => new Promise((done) => child.once("message", done))));
  const memory = children.reduce((sum, child) => sum + proportionalKiB(child.pid), 0);
  for (const child of children) child.disconnect();
  return memory / count;
}

// Microseconds of each connection that is accepted here and answered by a child.
async function passAll(count) {
  const workers = Array.from({ length: number("workers") }, () => fork(CHILD, ["answer"]));
  const server = createServer({ pauseOnConnect: true });
  let accepted = 0;
  server.on("connection", (socket) => {
    workers[accepted++ % workers.length].send("socket", socket);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const began = now();
  const client = spawn(
    options.program,
    [`port=${server.address().port}`, `count=${count}`, "atonce=16"],
    { stdio: "inherit" },
  );
  const code = await new Promise((resolve) => client.on("exit", resolve));
  if (code !== 0) throw new Error("the client failed");
  const time = now() - began;
  server.close();
  for (const worker of workers) worker.disconnect();
  return (time / count) * 1e6;
}

// First a shorter time as a warm-up, then the one that counts.
async function twice(measure, amount, ...rest) {
  await measure(amount / 5, ...rest);
  return measure(amount, ...rest);
}

const works = {
  spawn: () => twice(spawnFor, seconds, number("atonce", 1)),
  sync: () => twice(syncFor, seconds),
  call: () => twice(callFor, seconds),
  await: () => twice(callsFor, seconds, runByHand),
  command: () => twice(callsFor, seconds, runCommand),
  alive: () => keepAlive(number("alive")),
  read: () => twice(readAll, bytes),
  capture: () => twice(captureAll, bytes),
  write: () => twice(writeAll, bytes),
  pipe: () => twice(pipeAll, bytes),
  roundtrip: () => twice(roundTripsFor, seconds),
  send: () => twice(sendFor, seconds),
  first: () => twice(firstFor, seconds),
  idle: () => forkIdle(number("alive")),
  pass: () => twice(passAll, number("count")),
};

const heap = Buffer.alloc(number("heap", 0) * 2 ** 20, 1);
for (let i = 0; i < number("open", 0); i++) openSync("/dev/null");
console.log(String(await works[options.work]()));
process.exit(heap.length < 0 ? 1 : 0);
