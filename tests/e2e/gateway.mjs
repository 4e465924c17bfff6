// The real server with its embedded store, one per test file, on a port and a data folder of its own.

import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
export const SITE = join(ROOT, "target/site");
const SERVER = process.env.GLACIER_UPLOAD_SERVER ?? join(ROOT, "target/release/glacier-upload-server");
export const VAULT = "demo";

/**
 * Starts a server. `page` is the folder it serves; `args` are further flags, `env` further variables; `data` is what
 * another one has left with `stop({ keep: true })`.
 */
export async function startGateway({ page = SITE, args = [], env: more = {}, data } = {}) {
  data ??= await mkdtemp(join(tmpdir(), "glacier-upload-"));
  const flags = ["--data", data, "--listen", "127.0.0.1:0", "--page", page, "--vault", VAULT, ...args];
  const key = randomBytes(32);
  const env = { ...process.env, GLACIER_UPLOAD_TOKEN_KEY: key.toString("hex"), ...more };
  const server = spawn(SERVER, flags, { stdio: ["ignore", "pipe", "pipe"], env });
  const ended = new Promise((resolve) => server.on("close", resolve));
  let log = "";
  server.stderr.on("data", (text) => (log = (log + text).slice(-20_000)));
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).on("line", (line) => {
      const found = /listening on (https?:\S+)/.exec(line);
      if (found) resolve(found[1].replace(/\/$/, ""));
    });
    server.on("error", (error) => reject(new Error(`cannot start ${SERVER}`, { cause: error })));
    ended.then((code) => reject(new Error(`the server ended with ${code} before it listened:\n${log}`)));
  });
  return {
    url,
    pid: server.pid,
    data,
    log: () => log,
    /** A token as any back end that shares the key makes it. `claims` replace the usual ones. */
    token(claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      const usual = { sub: "test", vaults: [VAULT], ops: ["upload"], maxArchiveBytes: 2 ** 45, iat: now, exp: now + 600 };
      const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ ...usual, ...claims })}`;
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    },
    /** A token whose time is over. */
    expiredToken() {
      const now = Math.floor(Date.now() / 1000);
      return this.token({ iat: now - 7200, exp: now - 3600 });
    },
    async stop({ keep = false } = {}) {
      server.kill("SIGTERM");
      await ended;
      if (!keep) await rm(data, { recursive: true, force: true });
    },
  };
}
