// The gateway speaks TLS and HTTP/2 by itself: a browser sends more parts at once than HTTP/1.1 lets it, over one connection.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { librarySite } from "./site.mjs";

const SIZE = 100 * MIB;
const PART = 4 * MIB;
/** More than the six connections that a browser opens to one host, and than the library's own choice of 4. */
const AT_ONCE = 12;

let files;
let packaged;
let photos;
let certificates;

before(async () => {
  files = await scratch();
  packaged = await librarySite();
  const path = await makeFile(files.folder, "photos.zip", SIZE);
  photos = { path, ...(await fileFacts(path)) };
  certificates = await makeCertificates(files.folder);
});

after(async () => {
  await packaged?.remove();
  await files?.remove();
});

/** An authority, a certificate of it for localhost, and the hash of that certificate's key. */
async function makeCertificates(folder) {
  const openssl = async (text) => (await promisify(execFile)("openssl", text.split(" "), { cwd: folder })).stdout;
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
  await openssl(
    `req -x509 ${key} -subj /CN=Private -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem`,
  );
  await openssl(
    `req -x509 ${key} -subj /CN=localhost -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE ` +
      "-addext subjectAltName=DNS:localhost -keyout server.key -out server.pem",
  );
  await openssl("x509 -in server.pem -pubkey -noout -out server.pub");
  await openssl("pkey -pubin -in server.pub -outform der -out server.der");
  await openssl("dgst -sha256 -binary -out server.hash server.der");
  const spki = (await openssl("base64 -in server.hash")).trim();
  return { chain: join(folder, "server.pem"), key: join(folder, "server.key"), spki };
}

/**
 * A line to the gateway on which, once `slow()` was called, every answer is a quarter of a second under way: on loopback a part is
 * answered before the next is hashed, and how many were under way together would be chance.
 */
async function startLine() {
  let gateway;
  let delay = 0;
  const sockets = new Set();
  const server = createServer((page) => {
    const far = connect(Number(gateway.port), gateway.hostname);
    for (const socket of [page, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => { page.destroy(); far.destroy(); sockets.delete(socket); });
    }
    page.pipe(far);
    far.on("data", (bytes) => setTimeout(() => page.write(bytes), delay));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `localhost:${server.address().port}`;
  return {
    host,
    /** What a gateway needs to be told. */
    args: ["--public-host", host],
    leadTo({ url }) { gateway = new URL(url); },
    slow() { delay = 250; },
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Uploads the photos from a page at the far end of the line, and gives the outcome and what the browser noted of each part. */
async function upload(browser, gateway, line, scheme) {
  await browser.open(`${scheme}://${line.host}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready);
  line.slow();
  await browser.setFiles("#files", [photos.path]);
  const outcome = await browser.evaluate((vault, authorization, partSize, concurrency) => failureOf(async () => {
    const getHeaders = () => ({ authorization });
    const options = { endpoint: "/v1", target: { vault }, getHeaders, partSize, concurrency };
    // Kept, because what the workers noted goes with them.
    globalThis.uploader = await library.createUploader(options);
    return globalThis.uploader.add(document.querySelector("#files").files[0]).done();
  }), [VAULT, `Bearer ${gateway.token()}`, PART, AT_ONCE]);
  assert.ok(outcome.succeeded, JSON.stringify(outcome));
  const noted = await Promise.all(browser.page.workers().map((worker) => worker.evaluate(() =>
    performance.getEntriesByType("resource").map((entry) => {
      const { name, nextHopProtocol, connectStart, connectEnd, requestStart, responseStart } = entry;
      const at = (time) => performance.timeOrigin + time;
      const connects = connectEnd > connectStart;
      return { name, nextHopProtocol, connects, begun: at(requestStart), answered: at(responseStart) };
    }))));
  await browser.evaluate(() => globalThis.uploader.close());
  const { archiveId, treeHash } = outcome.succeeded;
  assert.equal(treeHash, photos.treeHash);
  const stored = await storedArchive(gateway.data, archiveId, VAULT);
  assert.deepEqual([stored.size, stored.sha256, stored.tree_hash], [SIZE, photos.sha256, photos.treeHash]);
  const parts = noted.flat().filter(({ name }) => name.includes("/multipart-uploads/"));
  assert.equal(parts.length, SIZE / PART);
  return parts;
}

/** How many requests were with the server at the same time: begun, and not answered. */
function mostAtOnce(parts) {
  return Math.max(...parts.map(({ begun: now }) =>
    parts.filter(({ begun, answered }) => begun <= now && now < answered).length));
}

test("over TLS a browser sends twelve parts at once over one connection of HTTP/2", { timeout: 300_000 }, async () => {
  const { chain, key, spki } = certificates;
  const line = await startLine();
  const args = [...line.args, "--tls-cert", chain, "--tls-key", key];
  const gateway = await startGateway({ page: packaged.folder, args });
  line.leadTo(gateway);
  const browser = await launch("chromium", { args: [`--ignore-certificate-errors-spki-list=${spki}`] });
  try {
    const parts = await upload(browser, gateway, line, "https");
    assert.deepEqual([...new Set(parts.map(({ nextHopProtocol }) => nextHopProtocol))], ["h2"]);
    assert.ok(!parts.some(({ connects }) => connects), "none opened a connection");
    assert.equal(mostAtOnce(parts), AT_ONCE, `${mostAtOnce(parts)} at once`);
  } finally {
    await browser.close();
    await line.stop();
    await gateway.stop();
  }
});

test("in the clear a browser keeps what is beyond six parts waiting", { timeout: 300_000 }, async () => {
  const line = await startLine();
  const gateway = await startGateway({ page: packaged.folder, args: line.args });
  line.leadTo(gateway);
  const browser = await launch("chromium");
  try {
    const parts = await upload(browser, gateway, line, "http");
    assert.deepEqual([...new Set(parts.map(({ nextHopProtocol }) => nextHopProtocol))], ["http/1.1"]);
    assert.ok(mostAtOnce(parts) <= 6, `${mostAtOnce(parts)} at once`);
  } finally {
    await browser.close();
    await line.stop();
    await gateway.stop();
  }
});
