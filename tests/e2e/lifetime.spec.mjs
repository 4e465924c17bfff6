// What a page need not keep: an upload goes on while nothing but the promise of its end is referenced, and what nobody
// uses any more gives its workers back.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browsers.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { librarySite, startSite } from "./site.mjs";

let packaged;
let gateway;
let site;
let browser;

before(async () => {
  packaged = await librarySite();
  gateway = await startGateway();
  site = await startSite(packaged.folder, { gateway: gateway.url });
  browser = await launch("chromium", { args: ["--js-flags=--expose-gc"] });
  await browser.open(`${site.url}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready);
});

after(async () => {
  await browser?.close();
  await site?.stop();
  await gateway?.stop();
  await packaged?.remove();
});

test("an upload of which only the promise is kept survives the garbage collector", { timeout: 120_000 }, async () => {
  const result = await browser.evaluate(async (vault) => {
    const begin = async () => {
      const uploader = await library.createUploader({ endpoint: "/v1", target: { vault }, getHeaders: bearer });
      return { done: uploader.add(new Blob(["x".repeat(24 << 20)]), { description: "kept by nobody" }).done() };
    };
    const { done } = await begin();
    let over = false;
    const collecting = (async () => {
      while (!over) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const archive = await done.finally(() => (over = true));
    await collecting;
    return archive;
  }, [VAULT]);
  assert.equal(result.size, 24 << 20);
});

test("waits and lists of which nothing else is kept survive the garbage collector", { timeout: 120_000 }, async () => {
  const token = gateway.token({ ops: ["upload", "read", "admin"] });
  const result = await browser.evaluate(async (name, token) => {
    const begin = async () => {
      const getHeaders = () => ({ authorization: `Bearer ${token}` });
      const vault = await (await library.createVaults({ endpoint: "/v1", getHeaders })).create(name);
      const job = await vault.inventory();
      return { done: job.done(), jobs: (await library.createVaults({ endpoint: "/v1", getHeaders })).vault(name).jobs() };
    };
    const { done, jobs } = await begin();
    let over = false;
    const collecting = (async () => {
      while (!over) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const status = (await done.finally(() => (over = true))).status;
    await collecting;
    const ids = [];
    for await (const job of jobs) ids.push(job.jobId);
    return { status, listed: ids.length };
  }, [VAULT, token]);
  assert.deepEqual(result, { status: "Succeeded", listed: 1 });
});

test("an uploader that nobody holds gives its workers back", { timeout: 120_000 }, async () => {
  const workers = await browser.evaluate(async (vault) => {
    const Real = Worker;
    const running = new Set();
    globalThis.Worker = class extends Real {
      constructor(...parameters) {
        super(...parameters);
        running.add(this);
      }
      terminate() {
        running.delete(this);
        super.terminate();
      }
    };
    const upload = async () => {
      const uploader = await library.createUploader({ endpoint: "/v1", target: { vault }, getHeaders: bearer });
      await uploader.add(new Blob(["some bytes"])).done();
    };
    await upload();
    const before = running.size;
    for (let round = 0; running.size > 0 && round < 1000; round++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    globalThis.Worker = Real;
    return { before, after: running.size };
  }, [VAULT]);
  assert.ok(workers.before > 0, "there were workers");
  assert.equal(workers.after, 0);
});

test("a download of which only the promise is kept survives the garbage collector", { timeout: 120_000 }, async () => {
  const result = await browser.evaluate(async (vault) => {
    const session = { endpoint: "/v1", getHeaders: bearer };
    const uploader = await library.createUploader({ ...session, target: { vault } });
    const { archiveId } = await uploader.add(new Blob(["y".repeat(24 << 20)])).done();
    const begin = async () => {
      const job = await (await library.createVaults(session)).vault(vault).retrieve(archiveId);
      await job.done();
      return { done: job.download().done() };
    };
    const { done } = await begin();
    let over = false;
    const collecting = (async () => {
      while (!over) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    const { verified, blob } = await done.finally(() => (over = true));
    await collecting;
    return { verified, size: blob.size };
  }, [VAULT]);
  assert.deepEqual(result, { verified: "whole", size: 24 << 20 });
});
