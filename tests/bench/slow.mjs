// 3,000 slow connections against the gateway while one client uploads: how soon they are closed, what the honest client
// notices, and what is left of them in memory and open files.
//
// The attackers are a process of their own, and on a small machine they take their share of it from the client whoever it
// is that they attack. So every round has three phases of the same length: the client alone, the client beside the same
// attack on somebody else (a listener that takes connections, reads nothing, and closes them after 8 s), and the client
// under attack. Which comes first changes from round to round, and of the rounds' ratios the median counts: other work of
// the machine falls on all phases. Prints a table and, last, one line of JSON.

import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect, createServer } from "node:net";
import { loadavg } from "node:os";
import { startGateway, VAULT } from "../e2e/gateway.mjs";

const MIB = 1 << 20;
const LORIS = Number(process.env.LORIS ?? 2000);
const SILENT = Number(process.env.SILENT ?? 500);
const BODIES = Number(process.env.BODIES ?? 500);
const ROUNDS = Number(process.env.ROUNDS ?? 5);
/** How long the client uploads alone: as long as an attack lasts. */
const ALONE_MS = 9000;
/** Each attacker sends once a second, and they do not all do so at once: so many times in a second it is the turn of some. */
const BEATS = 20;
/** After how long the gateway closes, and so the listener that it is compared with. */
const CLOSED_AFTER_MS = 8000;

const ROLES = { measure, attack, takeAndClose };
await ROLES[process.env.ROLE ?? "measure"]();

async function measure() {
  const gateway = await startGateway({ page: process.env.PAGE });
  const bystander = child("takeAndClose");
  try {
    await measureOf(gateway, (await message(bystander, "listening")).url);
  } finally {
    bystander.kill();
    await gateway.stop();
  }
}

async function measureOf(gateway, elsewhere) {
  const client = await honest(gateway);
  await client.parts(sleep(1000));
  const before = resources(gateway.pid);
  const most = { ...before };
  const watch = setInterval(() => {
    for (const [name, value] of Object.entries(resources(gateway.pid))) most[name] = Math.max(most[name], value);
  }, 50);
  const phases = {
    alone: () => client.parts(sleep(ALONE_MS)),
    beside: () => attacked(client, elsewhere),
    attacked: () => attacked(client, gateway.url),
  };
  const rounds = [];
  let closedMs = 0;
  for (let n = 0; n < ROUNDS; n++) {
    const round = { load: loadavg()[0] };
    const names = Object.keys(phases);
    for (const name of [...names.slice(n % 3), ...names.slice(0, n % 3)]) {
      const cpu = cpuMs(gateway.pid);
      const begun = performance.now();
      const { times, lastMs } = await phases[name]();
      const share = (cpuMs(gateway.pid) - cpu) / (performance.now() - begun);
      round[name] = { times, p50: quantile(times, 0.5), p99: quantile(times, 0.99), share };
      if (name === "attacked") closedMs = Math.max(closedMs, lastMs);
    }
    rounds.push(round);
    const { alone, beside } = round;
    const cells = names.map((name) => `${name} ${round[name].p50.toFixed(1)} / ${round[name].p99.toFixed(1)} ms`);
    const ratios = [alone, beside].map(({ p99 }) => (round.attacked.p99 / p99).toFixed(2));
    console.log(`load ${round.load.toFixed(1)}`, ...cells, `ratios ${ratios.join(", ")}`);
  }
  await sleep(3000);
  clearInterval(watch);
  const after = resources(gateway.pid);
  client.end();
  const all = (name) => rounds.flatMap((round) => round[name].times);
  const ratio = (to) => quantile(rounds.map((round) => round.attacked.p99 / round[to].p99), 0.5);
  const share = (name) => quantile(rounds.map((round) => round[name].share), 0.5);
  const result = {
    bench: "slow", connections: LORIS + SILENT + BODIES, rounds: ROUNDS, load: quantile(rounds.map(({ load }) => load), 0.5),
    all_closed_s: closedMs / 1000, parts: all("attacked").length,
    alone_p50_ms: quantile(all("alone"), 0.5), alone_p99_ms: quantile(all("alone"), 0.99),
    beside_p50_ms: quantile(all("beside"), 0.5), beside_p99_ms: quantile(all("beside"), 0.99),
    attacked_p50_ms: quantile(all("attacked"), 0.5), attacked_p99_ms: quantile(all("attacked"), 0.99),
    p99_ratio: ratio("alone"), p99_ratio_to_beside: ratio("beside"),
    server_cores_alone: share("alone"), server_cores_beside: share("beside"), server_cores_attacked: share("attacked"),
    rss_more_mib: (most.rssKib - before.rssKib) / 1024, files_most: most.files, files_left: after.files - before.files,
  };
  for (const [name, value] of Object.entries(result)) {
    console.log(name.padEnd(22), typeof value === "number" ? Number(value.toFixed(2)) : value);
  }
  console.log(JSON.stringify(result));
}

/** The client's parts from the first connection of an attack on `target` to the end of its last, and when that was. */
async function attacked(client, target) {
  const attackers = child("attack", { TARGET: target, PART: await client.head(target) });
  await message(attackers, "ready");
  const closed = message(attackers, "closed");
  attackers.send("go");
  const { times } = await client.parts(closed);
  return { times, lastMs: (await closed).lastMs };
}

/** This file as another process. */
function child(role, env = {}) {
  return fork(import.meta.filename, { env: { ...process.env, ROLE: role, ...env } });
}

function message(child, name) {
  return new Promise((resolve, reject) => {
    child.on("message", (text) => { if (text.name === name) resolve(text); });
    child.on("exit", (code) => reject(new Error(`a process of the benchmark ended with ${code} before it was ${name}`)));
  });
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Memory and open files of a process. */
function resources(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { rssKib: Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]), files: readdirSync(`/proc/${pid}/fd`).length };
}

/** Time of the processor that a process has had, counted by the system in hundredths of a second. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").pop().trim().split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function quantile(values, share) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length * share)];
}

/** A client that sends parts of 1 MiB one after the other, each signed for it. */
async function honest(gateway) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const token = gateway.token();
  const part = Buffer.alloc(MIB, 7);
  const hash = createHash("sha256").update(part).digest("hex");
  const send = (method, path, headers, body) =>
    new Promise((resolve, reject) => {
      const sent = request(gateway.url + path, { method, headers: { ...headers, "content-length": body.length }, agent });
      sent.on("error", reject).on("response", (answer) => {
        const pieces = [];
        answer.on("data", (piece) => pieces.push(piece));
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }));
      });
      sent.end(body);
    });
  const sign = async (intent) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const answer = await send("POST", "/v1/sign", headers, Buffer.from(JSON.stringify({ intents: [intent] })));
    if (answer.status !== 200) throw new Error(answer.body.toString());
    return JSON.parse(answer.body).requests[0];
  };
  const initiate = await sign({ op: "InitiateMultipartUpload", vault: VAULT, partSize: MIB, size: 10_000 * MIB });
  const upload = await send(initiate.method, initiate.url, initiate.headers, Buffer.alloc(0));
  const uploadId = upload.headers["x-amz-multipart-upload-id"];
  const intent = { op: "UploadMultipartPart", vault: VAULT, uploadId, range: `0-${MIB - 1}`, payloadHash: hash, treeHash: hash };
  return {
    /** Sends parts until `until` is settled. Returns how long each took, in milliseconds. */
    async parts(until) {
      let goesOn = true;
      until.finally(() => (goesOn = false)).catch(() => {});
      const times = [];
      while (goesOn) {
        const begun = performance.now();
        const { method, url, headers } = await sign(intent);
        const answer = await send(method, url, headers, part);
        if (answer.status !== 204) throw new Error(`${answer.status} ${answer.body}`);
        times.push(performance.now() - begun);
      }
      return { times };
    },
    /** The head of a part's request to `target`, to be sent by somebody who takes his time. */
    async head(target) {
      const { method, url, headers } = await sign(intent);
      const lines = Object.entries({ host: new URL(target).host, ...headers, "content-length": MIB });
      return `${method} ${url} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    },
    end: () => agent.destroy(),
  };
}

/** Opens all connections once it is told to, and keeps each busy until it is closed. */
async function attack() {
  const { hostname, port } = new URL(process.env.TARGET);
  const head = `GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`;
  const kinds = [[LORIS, head, "X: y\r\n"], [SILENT, "", ""], [BODIES, process.env.PART, "x"]];
  const connections = LORIS + SILENT + BODIES;
  const go = new Promise((resolve) => process.once("message", resolve));
  process.send({ name: "ready" });
  await go;
  let opened = 0;
  let closed = 0;
  let begun = Infinity;
  const sockets = new Map();
  let beat = 0;
  const drips = setInterval(() => {
    beat = (beat + 1) % BEATS;
    for (const [socket, { turn, drip }] of sockets) if (turn === beat && socket.writable) socket.write(drip);
  }, 1000 / BEATS);
  for (const [count, begins, drip] of kinds) {
    for (let n = 0; n < count; n++) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {}).on("data", () => {});
      socket.on("connect", () => {
        if (begins) socket.write(begins);
        opened += 1;
        if (drip) sockets.set(socket, { turn: opened % BEATS, drip });
        if (opened === connections) begun = performance.now();
      });
      socket.on("close", () => {
        sockets.delete(socket);
        closed += 1;
        if (closed < connections) return;
        clearInterval(drips);
        if (opened < connections) throw new Error(`${connections - opened} connections were never opened`);
        process.send({ name: "closed", lastMs: performance.now() - begun }, () => process.disconnect());
      });
    }
  }
}

/** Whom the attack is on in a phase that it is compared with. */
async function takeAndClose() {
  const take = (socket) => {
    socket.on("error", () => {});
    setTimeout(() => socket.destroy(), CLOSED_AFTER_MS);
  };
  const server = createServer({ pauseOnConnect: true }, take);
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, () => {
    process.send({ name: "listening", url: `http://127.0.0.1:${server.address().port}` });
  });
}
