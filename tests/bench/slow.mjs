// 3,000 slow connections against the gateway while one client uploads: how soon they are closed, what the honest client
// notices, and what is left of them in memory and open files.
//
// The attackers are a process of their own. Prints a table and, last, one line of JSON.

import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { startGateway, VAULT } from "../e2e/gateway.mjs";

const MIB = 1 << 20;
const LORIS = Number(process.env.LORIS ?? 2000);
const SILENT = Number(process.env.SILENT ?? 500);
const BODIES = Number(process.env.BODIES ?? 500);
const PARTS = 150;

if (process.send) attack();
else await measure();

async function measure() {
  const gateway = await startGateway({ page: process.env.PAGE });
  const { pid } = gateway;
  const client = await honest(gateway);
  await client.parts(20);
  const before = resources(pid);
  const alone = await client.parts(PARTS);
  const head = await client.head();
  const attackers = fork(import.meta.filename, { env: { ...process.env, TARGET: gateway.url, PART: head } });
  const begun = await message(attackers, "open");
  let most = resources(pid);
  const watch = setInterval(() => {
    const now = resources(pid);
    most = { rssKib: Math.max(most.rssKib, now.rssKib), files: Math.max(most.files, now.files) };
  }, 100);
  const attacked = await client.parts(PARTS, message(attackers, "closed"));
  const { lastMs } = attackers.closed;
  clearInterval(watch);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const after = resources(pid);
  client.end();
  await gateway.stop();
  const result = {
    bench: "slow", connections: begun.connections, all_closed_s: lastMs / 1000,
    honest_p99_ms: p99(alone), attacked_p99_ms: p99(attacked), p99_ratio: p99(attacked) / p99(alone),
    parts_meanwhile: attacked.length, rss_more_mib: (most.rssKib - before.rssKib) / 1024,
    files_most: most.files, files_left: after.files - before.files,
  };
  for (const [name, value] of Object.entries(result)) {
    console.log(name.padEnd(18), typeof value === "number" ? Number(value.toFixed(2)) : value);
  }
  console.log(JSON.stringify(result));
}

/** Memory and open files of a process. */
function resources(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return { rssKib: Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]), files: readdirSync(`/proc/${pid}/fd`).length };
}

function p99(times) {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)];
}

function message(child, name) {
  return new Promise((resolve) => {
    child.on("message", (text) => {
      if (text.name !== name) return;
      child[name] = text;
      resolve(text);
    });
  });
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
    /** Sends `count` parts, and more until `until` is settled. Returns how long each took, in milliseconds. */
    async parts(count, until) {
      let goesOn = Boolean(until);
      until?.then(() => (goesOn = false));
      const times = [];
      while (times.length < count || goesOn) {
        const begun = performance.now();
        const { method, url, headers } = await sign(intent);
        const answer = await send(method, url, headers, part);
        if (answer.status !== 204) throw new Error(`${answer.status} ${answer.body}`);
        times.push(performance.now() - begun);
      }
      return times;
    },
    /** The head of a part's request, to be sent by somebody who takes his time. */
    async head() {
      const { method, url, headers } = await sign(intent);
      const lines = Object.entries({ host: new URL(gateway.url).host, ...headers, "content-length": MIB });
      return `${method} ${url} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
    },
    end: () => agent.destroy(),
  };
}

function attack() {
  const { hostname, port } = new URL(process.env.TARGET);
  const head = `GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`;
  const kinds = [[LORIS, head, "X: y\r\n"], [SILENT, "", ""], [BODIES, process.env.PART, "x"]];
  const connections = LORIS + SILENT + BODIES;
  let opened = 0;
  let closed = 0;
  let begun;
  const sockets = new Map();
  for (const [count, begins, drip] of kinds) {
    for (let n = 0; n < count; n++) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {}).on("data", () => {});
      socket.on("connect", () => {
        if (begins) socket.write(begins);
        sockets.set(socket, drip);
        opened += 1;
        if (opened === connections) {
          begun = performance.now();
          process.send({ name: "open", connections });
        }
      });
      socket.on("close", () => {
        sockets.delete(socket);
        closed += 1;
        if (closed === connections) {
          process.send({ name: "closed", lastMs: performance.now() - (begun ?? performance.now()) });
          process.exit();
        }
      });
    }
  }
  setInterval(() => {
    for (const [socket, drip] of sockets) if (drip && socket.writable) socket.write(drip);
  }, 1000);
}
