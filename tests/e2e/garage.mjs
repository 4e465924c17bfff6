// A Garage: an S3 store that checks signatures and checksums, one per test file, on a port and in a folder of its own.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");
const GARAGE = process.env.GARAGE ?? join(ROOT, "target/tools/bin/garage");
const PYTHON = process.env.PYTHON ?? join(ROOT, "target/venv/bin/python");
const run = promisify(execFile);

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** Starts a store with one bucket. */
export async function startGarage(bucket) {
  const folder = await mkdtemp(join(tmpdir(), "garage-"));
  const [rpc, s3] = [await freePort(), await freePort()];
  const config = join(folder, "garage.toml");
  await writeFile(config, `
    metadata_dir = "${folder}/meta"
    data_dir = "${folder}/data"
    db_engine = "sqlite"
    replication_factor = 1
    rpc_bind_addr = "127.0.0.1:${rpc}"
    rpc_public_addr = "127.0.0.1:${rpc}"
    rpc_secret = "${randomBytes(32).toString("hex")}"
    [s3_api]
    s3_region = "garage"
    api_bind_addr = "127.0.0.1:${s3}"
  `);
  const server = spawn(GARAGE, ["-c", config, "server"], { stdio: "ignore" });
  const ended = new Promise((resolve) => server.on("close", resolve));
  const garage = async (...args) => (await run(GARAGE, ["-c", config, ...args])).stdout;
  let id;
  for (;;) {
    try {
      id = /^([0-9a-f]{64})@/m.exec(await garage("node", "id", "--quiet"))[1];
      await garage("status");
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const [keyId, secret] = [`GK${randomBytes(12).toString("hex")}`, randomBytes(32).toString("hex")];
  await garage("layout", "assign", "--zone", "z", "--capacity", "10G", id);
  await garage("layout", "apply", "--version", "1");
  await garage("key", "import", "--yes", "-n", "tests", keyId, secret);
  await garage("bucket", "create", bucket);
  await garage("bucket", "allow", "--read", "--write", "--owner", bucket, "--key", keyId);
  const env = { ...process.env, AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret };
  const url = `http://127.0.0.1:${s3}`;
  const boto3 = startBoto3(url, bucket, env);
  return {
    url,
    env,
    /** What boto3, which shares no code with ours, says of the bucket: see bucket.py. */
    ask: boto3.ask,
    async stop() {
      await boto3.stop();
      server.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One process for all questions, since to start it takes longer than most answers. It answers in the order it is asked. */
function startBoto3(url, bucket, env) {
  const script = join(import.meta.dirname, "bucket.py");
  const python = spawn(PYTHON, [script, url, bucket], { stdio: ["pipe", "pipe", "inherit"], env });
  const ended = new Promise((resolve) => python.on("close", resolve));
  const waiting = [];
  createInterface({ input: python.stdout }).on("line", (line) => waiting.shift()(JSON.parse(line)));
  python.stdin.on("error", () => {}); // its end says so, too
  return {
    ask: (...question) => new Promise((resolve, reject) => {
      ended.then((code) => reject(new Error(`${script} ended with ${code}`)));
      waiting.push(({ error, answer }) => (error ? reject(new Error(error)) : resolve(answer)));
      python.stdin.write(`${JSON.stringify(question)}\n`);
    }),
    stop() {
      python.stdin.end();
      return ended;
    },
  };
}
