// Vaults elsewhere: page, gateway and a store in a process of its own behind TLS. The page does not know.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { startGlacier } from "./glacier.mjs";
import { bearer, call, retrieve } from "./jobs.mjs";
import { librarySite, startSite } from "./site.mjs";

const SIZE = 40 * MIB + 11;

let files;
let packaged;
let glacier;
let gateway;
let site;
let browser;
let seen = [];
let meddle = () => undefined;

before(async () => {
  files = await scratch();
  packaged = await librarySite();
  glacier = await startGlacier({
    meddle(incoming) {
      seen.push(`${incoming.method} ${incoming.url}`);
      return meddle(incoming);
    },
  });
  gateway = await startGateway(glacier);
  site = await startSite(packaged.folder, { gateway: gateway.url, takes: { "/read-back": digest } });
  const headers = { "content-type": "application/json", authorization: `Bearer ${gateway.token({ ops: ["CreateVault"] })}` };
  const body = JSON.stringify({ intents: [{ op: "CreateVault", vault: VAULT }] });
  const signed = await fetch(`${gateway.url}/v1/sign`, { method: "POST", headers, body });
  const [{ url, ...request }] = (await signed.json()).requests;
  assert.equal((await fetch(gateway.url + url, request)).status, 201);
  browser = await launch("chromium");
  await browser.open(`${site.url}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready && document.documentElement.dataset.downloads);
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  await site?.stop();
  await gateway?.stop();
  await glacier?.stop();
  await packaged?.remove();
  await files?.remove();
});

async function digest(stream) {
  const hash = createHash("sha256");
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest("hex");
}

const through = () => ({ vault: VAULT, bearer: bearer(gateway) });

/** Uploads the chosen file in parts of 8 MiB, and tells what came of it. */
function upload() {
  return browser.evaluate((vault, authorization) => failureOf(async () => {
    const getHeaders = () => ({ authorization });
    const uploader = await library.createUploader({ endpoint: "/v1", target: { vault }, getHeaders, partSize: 8 << 20 });
    try {
      return await uploader.add(document.querySelector("#files").files[0]).done();
    } finally {
      await uploader.close();
    }
  }), [VAULT, bearer(gateway)]);
}

test("40 MiB go to a store elsewhere and come back", { timeout: 120_000 }, async () => {
  const path = await makeFile(files.folder, "photos.zip", SIZE);
  const facts = await fileFacts(path);
  await browser.setFiles("#files", [path]);
  // One part is cut off on the way, one is refused for a moment: the browser sends them again.
  let n = 0;
  meddle = (incoming) => {
    if (incoming.method !== "PUT" || !incoming.url.includes("/multipart-uploads/")) return undefined;
    n += 1;
    if (n === 2) return { cut: MIB };
    if (n === 4) return { status: 500, body: { code: "ServiceUnavailableException", message: "x", type: "Server" } };
    return undefined;
  };
  seen = [];
  const { succeeded, ...failure } = await upload();
  assert.ok(succeeded, JSON.stringify(failure));
  assert.equal(succeeded.treeHash, facts.treeHash);
  assert.equal(seen.filter((line) => line.startsWith("PUT")).length, 6 + 2, "six parts, two of them twice");
  meddle = () => undefined;

  const job = await retrieve(gateway, succeeded.archiveId);
  assert.equal(job.SHA256TreeHash, facts.treeHash);
  const { outcome, back } = await browser.evaluate(async (through, job) => {
    const { blob, ...outcome } = await (await jobOf(through, job)).download().done();
    return { outcome, back: await readBack(blob) };
  }, [through(), job]);
  assert.deepEqual(outcome, { size: SIZE, treeHash: facts.treeHash, verified: "whole" });
  assert.equal(back, facts.sha256);
});

test("an account without vaults is told so in plain words", { timeout: 60_000 }, async () => {
  await browser.setFiles("#files", [await makeFile(files.folder, "small.bin", 3 * MIB)]);
  const message = "The Amazon Glacier service is no longer supported for this account.";
  meddle = () => ({ status: 400, body: { code: "NoLongerSupportedException", message, type: "Client" } });
  const failure = await upload();
  meddle = () => undefined;
  assert.deepEqual(
    [failure.code, failure.serviceCode, failure.retryable], ["VAULTS_CLOSED", "NoLongerSupportedException", false],
  );
  assert.match(failure.hint, /closed Glacier vaults to new accounts/);
});

test("the page is sent no key of the store and no way around the gateway", async () => {
  const answer = await call(gateway, { op: "DescribeJob", vault: VAULT, jobId: "none" }).catch((error) => error);
  assert.match(String(answer), /404/);
  const headers = { "content-type": "application/json", authorization: bearer(gateway) };
  const body = JSON.stringify({ intents: [{ op: "ListParts", vault: VAULT, uploadId: "x" }] });
  const [{ url, headers: signed }] = (await (await fetch(`${gateway.url}/v1/sign`, { method: "POST", headers, body })).json()).requests;
  assert.match(url, /^\/v1\/relay\/\d{12}\/vaults\//);
  assert.doesNotMatch(JSON.stringify(signed), new RegExp(glacier.env.AWS_ACCESS_KEY_ID));
});
