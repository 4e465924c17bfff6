// The gateway beside what does its work elsewhere: signatures beside the AWS SDK in Node (`sign.mjs`), the relay beside nginx
// (`benches/relay.rs`), and uploads to buckets beside lib-storage and Uppy (`s3.mjs`). Prints their tables and, last, one line of
// JSON in which a higher ratio is better.

import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs the native benchmark of the relay. */
const relay = (...args) =>
  measured("cargo", "bench", "--quiet", "--package", "glacier-upload-server", "--bench", "relay", "--", ...args);

/** Runs a benchmark, shows what it prints, and returns its last line. */
async function measured(program, ...flags) {
  const bench = spawn(program, flags, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  bench.stdout.on("data", (chunk) => (text += chunk));
  const [code] = await once(bench, "close");
  if (code !== 0) throw new Error(`${program} ${flags.join(" ")} ended with ${code}`);
  const lines = text.trimEnd().split("\n");
  console.log(lines.slice(0, -1).join("\n"));
  return JSON.parse(lines.at(-1));
}

const signatures = await measured("node", "tests/bench/sign.mjs");
const throughput = await relay();
const memory = await relay("memory");
const { bench, ...buckets } = await measured("node", "tests/bench/s3.mjs");
console.log(JSON.stringify({
  bench: "gateway",
  sign_vs_aws_sdk: signatures.sign_vs_aws_sdk,
  relay_vs_nginx: throughput.relay_vs_nginx,
  relay_rss_mib: memory.parts_64_of_1_gib,
  relay_rss_mib_256_connections: memory.connections_256,
  ...buckets,
}));
