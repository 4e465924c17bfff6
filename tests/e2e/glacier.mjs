// A Glacier elsewhere, in the place of Amazon's: the store's own binary behind TLS with an authority of its own.

import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const STORE = process.env.LOCAL_GLACIER ?? resolve(import.meta.dirname, "../../target/release/local-glacier");
const KEY = { AWS_ACCESS_KEY_ID: "AKIAOFTHETESTSELSEWH", AWS_SECRET_ACCESS_KEY: "a secret of the tests alone" };

/**
 * Starts a store. `meddle(request)` stands in front of it: it may return `{status, body}` to answer itself, or
 * `{cut: n}` to end the connection after n bytes of the request's body.
 */
export async function startGlacier({ meddle = () => undefined } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "glacier-elsewhere-"));
  await makeCertificates(folder);
  const env = {
    ...process.env, LOCAL_GLACIER_ACCESS_KEY_ID: KEY.AWS_ACCESS_KEY_ID,
    LOCAL_GLACIER_SECRET_ACCESS_KEY: KEY.AWS_SECRET_ACCESS_KEY,
  };
  const flags = ["--data", join(folder, "store"), "--listen", "127.0.0.1:0", "--job-delay-ms", "100"];
  const store = spawn(STORE, flags, { stdio: ["ignore", "pipe", "inherit"], env: { ...env, RUST_LOG: "warn" } });
  const ended = new Promise((resolve) => store.on("close", resolve));
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: store.stdout }).on("line", (line) => resolve(/:(\d+)$/.exec(line)[1]));
    store.on("error", (error) => reject(new Error(`cannot start ${STORE}`, { cause: error })));
  });
  const read = (name) => readFileSync(join(folder, name));
  const server = createServer({ cert: read("server.pem"), key: read("server.key") }, (incoming, outgoing) => {
    const trouble = meddle(incoming);
    if (trouble?.status) {
      incoming.resume();
      outgoing.writeHead(trouble.status, { "content-type": "application/json" }).end(JSON.stringify(trouble.body));
      return;
    }
    if (trouble?.cut !== undefined) {
      let taken = 0;
      incoming.on("data", (chunk) => (taken += chunk.length) >= trouble.cut && incoming.socket.destroy());
      return;
    }
    const { method, url: path, headers } = incoming;
    // With the host as it was signed.
    const onward = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    /** What a gateway needs to be told. */
    args: ["--glacier", `https://localhost:${server.address().port}`, "--ca-file", join(folder, "ca.pem")],
    env: KEY,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      store.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An authority, and a certificate of it for localhost. */
async function makeCertificates(folder) {
  const openssl = (text) => promisify(execFile)("openssl", text.split(" "), { cwd: folder });
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  await openssl(
    `req -x509 ${key} -subj /CN=Private -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem`,
  );
  await openssl(
    `req -x509 ${key} -subj /CN=localhost -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE ` +
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout server.key -out server.pem",
  );
}
