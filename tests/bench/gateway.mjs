// The gateway beside what does its work elsewhere: signatures beside the AWS SDK in Node (`sign.mjs`), the relay beside nginx
// (`benches/relay.rs`), and uploads to buckets beside lib-storage and Uppy (`s3.mjs`). Each part runs those it compares in turns and
// takes medians. Prints their tables, one of all, and last one line of JSON in which a higher ratio is better. A part that fails
// does not keep the others from being measured: its figures are null, and the end says which it was. `README.md` beside this file
// says what each figure means.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";

const relay = (...args) =>
  // Built as the server that is given to others is.
  ["cargo", "bench", "--quiet", "--profile", "dist", "--package", "glacier-upload-server", "--bench", "relay", "--", ...args];
const PARTS = {
  signatures: ["node", "tests/bench/sign.mjs"],
  relay: relay(),
  "memory of the relay": relay("memory"),
  buckets: ["node", "tests/bench/s3.mjs"],
};
const minutes = (since) => ((performance.now() - since) / 60_000).toFixed(1);

/** Runs a benchmark, shows what it prints as it comes, and returns what its last line says. */
async function measured([program, ...flags]) {
  const bench = spawn(program, flags, { stdio: ["ignore", "pipe", "inherit"] });
  let [text, shown] = ["", 0];
  bench.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
    // The last line is for us, and is known to be the last when another follows it, or nothing.
    const end = text.lastIndexOf("\n", text.length - 2) + 1;
    process.stdout.write(text.slice(shown, end));
    shown = Math.max(shown, end);
  });
  const [code, signal] = await once(bench, "close");
  if (code !== 0) {
    console.log(text.slice(shown).trimEnd());
    throw new Error(`${program} ${flags.join(" ")} ended with ${code ?? signal}`);
  }
  return JSON.parse(text.slice(shown));
}

const begun = performance.now();
console.log(`${cpus().length} processors, load ${loadavg()[0].toFixed(1)} before`);
const [results, failures] = [{}, []];
for (const [name, command] of Object.entries(PARTS)) {
  console.log(`\n==> ${name}`);
  const partBegun = performance.now();
  try {
    results[name] = await measured(command);
  } catch (error) {
    failures.push(`${name}: ${error.message}`);
  }
  console.log(`==> ${name}: ${minutes(partBegun)} min`);
}
const figure = (part, key) => results[part]?.[key] ?? null;
const { bench, ...buckets } = results.buckets ?? {};
const summary = {
  bench: "gateway",
  sign_vs_aws_sdk: figure("signatures", "sign_vs_aws_sdk"),
  relay_vs_nginx: figure("relay", "relay_vs_nginx"),
  relay_rss_mib: figure("memory of the relay", "parts_64_of_1_gib"),
  relay_rss_mib_256_connections: figure("memory of the relay", "connections_256"),
  relay_rss_mib_beside_nginx: figure("relay", "relay_rss_mib"),
  nginx_rss_mib: figure("relay", "nginx_rss_mib"),
  s3_vs_lib_storage: null,
  s3_vs_uppy: null,
  ...buckets,
};

const row = (what, key, unit) => console.log(`${what.padEnd(62)}${String(summary[key] ?? "failed").padStart(7)} ${unit}`);
console.log(`\nall of it in ${minutes(begun)} min, load ${loadavg()[0].toFixed(1)} after\n`);
row("signatures a second, beside the AWS SDK in Node", "sign_vs_aws_sdk", "times as many");
row("parts through the relay, beside nginx's proxy_pass", "relay_vs_nginx", "times as fast");
row("memory of the relay, the same parts", "relay_rss_mib_beside_nginx", "MiB");
row("memory of nginx, the same parts", "nginx_rss_mib", "MiB");
row("memory of the relay, 64 parts of 1 GiB at once (under 32)", "relay_rss_mib", "MiB");
row("memory of the relay, 256 connections (under 64)", "relay_rss_mib_256_connections", "MiB");
row("a file to a bucket, beside @aws-sdk/lib-storage", "s3_vs_lib_storage", "times as fast");
row("a file to a bucket, beside @uppy/aws-s3", "s3_vs_uppy", "times as fast");
for (const failure of failures) console.error(`error: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
console.log(`\n${JSON.stringify(summary)}`);
