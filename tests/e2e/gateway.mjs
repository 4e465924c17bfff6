// The real server with its embedded store, one per test file, on a port and a data folder of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
export const SITE = join(ROOT, "target/site");
const SERVER = process.env.GLACIER_UPLOAD_SERVER ?? join(ROOT, "target/release/glacier-upload-server");
export const VAULT = "demo";

/** Starts a server. `page` is the folder it serves; `args` are further flags. */
export async function startGateway({ page = SITE, args = [] } = {}) {
  const data = await mkdtemp(join(tmpdir(), "glacier-upload-"));
  const flags = ["--data", data, "--listen", "127.0.0.1:0", "--page", page, "--vault", VAULT, ...args];
  const server = spawn(SERVER, flags, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => server.on("close", resolve));
  let log = "";
  server.stderr.on("data", (text) => (log = (log + text).slice(-20_000)));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).on("line", (line) => {
      const found = /listening on (http:\S+)/.exec(line);
      if (found) resolve(found[1].replace(/\/$/, ""));
    });
    server.on("error", (error) => reject(new Error(`cannot start ${SERVER}`, { cause: error })));
    ended.then((code) => reject(new Error(`the server ended with ${code} before it listened:\n${log}`)));
  });
  return {
    url,
    data,
    log: () => log,
    async token() {
      const response = await fetch(`${url}/v1/dev-token`, {
        method: "POST", headers: { "content-type": "application/json" }, body: "{}",
      });
      if (!response.ok) throw new Error(`dev-token answered ${response.status}: ${await response.text()}`);
      return (await response.json()).token;
    },
    async stop() {
      server.kill("SIGTERM");
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
}
