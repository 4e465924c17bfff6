// Signatures a second over HTTP: our gateway beside a Node server that presigns with the AWS SDK, asked by the same client over
// the same number of connections. Ours checks a token and every field of every intent besides; theirs only signs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { startGateway, VAULT } from "../e2e/gateway.mjs";

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 16);
const SECONDS = Number(process.env.SIGN_SECONDS ?? 2);
const ROUNDS = Number(process.env.SIGN_ROUNDS ?? 7);
const HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Sends the same request again and again over one connection, and gives how many answers of 200 came. */
async function ask({ hostname, port }, request, until) {
  const socket = connect(Number(port), hostname).setNoDelay();
  await once(socket, "connect");
  let answers = 0;
  let left = Buffer.alloc(0);
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (data) => {
      left = left.length ? Buffer.concat([left, data]) : data;
      const end = left.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = left.toString("latin1", 0, end).toLowerCase();
      if (!head.startsWith("http/1.1 200")) return reject(new Error(left.toString().slice(0, 300)));
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(length)) return reject(new Error(`no length:\n${head}`));
      if (left.length < end + 4 + length) return;
      left = Buffer.alloc(0);
      answers += 1;
      if (performance.now() < until) socket.write(request);
      else socket.end(resolve);
    });
    socket.write(request);
  });
  return answers;
}

/** What measures how many answers come in a second. */
function asker(url, headers, body) {
  const text = JSON.stringify(body);
  const { host, pathname } = new URL(url);
  const lines = { host, "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const request = Buffer.from(`POST ${pathname} HTTP/1.1\r\n${head}\r\n${text}`);
  return async () => {
    const begun = performance.now();
    const asked = Array.from({ length: CONNECTIONS }, () => ask(new URL(url), request, begun + SECONDS * 1000));
    const answers = (await Promise.all(asked)).reduce((sum, n) => sum + n, 0);
    return answers / ((performance.now() - begun) / 1000);
  };
}

/** Rates of both in turns, the other one first each time. The first round warms. */
async function inTurns(ours, theirs) {
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const rates = {};
    const turns = [["ours", ours], ["theirs", theirs]];
    for (const [name, rate] of round % 2 ? turns.reverse() : turns) rates[name] = await rate();
    if (round > 0) rounds.push({ ...rates, ratio: rates.ours / rates.theirs });
  }
  const median = (key) => rounds.map((round) => round[key]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)];
  return { ours: median("ours"), theirs: median("theirs"), ratio: median("ratio") };
}

/** The process whose lines say where it listens, or what it measured. */
async function sdk(mode) {
  const child = spawn("node", [resolve(import.meta.dirname, "aws_sdk_signer.mjs"), mode], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) return { child, line };
  throw new Error("the AWS SDK's server ended");
}

const part = (n) => ({
  op: "UploadMultipartPart", vault: VAULT, uploadId: "OW2fM5iVylEpFEMM9", payloadHash: HASH, treeHash: HASH,
  range: `${n * 8388608}-${(n + 1) * 8388608 - 1}`,
});

// No limit on how often one may ask: the gateway is to be measured, and not its limiter.
const gateway = await startGateway({ args: ["--subject-rate", "0"] });
const { child, line } = await sdk("serve");
const results = [];
try {
  for (const batch of [1, 100]) {
    const parts = Array.from({ length: batch }, (_, n) => n);
    const authorization = `Bearer ${gateway.token()}`;
    const ours = asker(`${gateway.url}/v1/sign`, { authorization }, { intents: parts.map(part) });
    const numbers = parts.map((n) => n + 1);
    const theirs = asker(`${line}/sign`, {}, { bucket: "photos", key: "a.bin", uploadId: "u", hash: HASH, parts: numbers });
    const measured = await inTurns(ours, theirs);
    results.push({ batch, ...measured, ours: batch * measured.ours, theirs: batch * measured.theirs });
  }
} finally {
  child.kill();
  await gateway.stop();
}
const inProcess = await sdk("loop");

const cell = (value) => String(Math.round(value)).padStart(12);
console.log(`\nsignatures a second, ${CONNECTIONS} connections, medians of ${ROUNDS} rounds of ${SECONDS} s each`);
console.log("batch         gateway     AWS SDK in Node   ratio");
for (const { batch, ours, theirs, ratio } of results) {
  console.log(`${String(batch).padStart(5)} ${cell(ours)}        ${cell(theirs)}  ${ratio.toFixed(2).padStart(6)}`);
}
console.log(`AWS SDK in a loop, without HTTP: ${Math.round(Number(inProcess.line))}\n`);
// The worse of the two.
const worst = Math.min(...results.map(({ ratio }) => ratio));
console.log(JSON.stringify({ bench: "sign", sign_vs_aws_sdk: Number(worst.toFixed(2)) }));
