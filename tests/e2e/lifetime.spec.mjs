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

test("parts are read into memory that was used before, and a page that is done keeps none", { timeout: 120_000 }, async () => {
  const seen = await browser.evaluate(async (vault) => {
    // A worker tells by a channel how it reads: into a new buffer, or into one that is given.
    const patch = `
      const reads = new BroadcastChannel("reads");
      const { getReader } = ReadableStream.prototype;
      ReadableStream.prototype.getReader = function (options) {
        if (options?.mode === "byob") reads.postMessage("again");
        return getReader.call(this, options);
      };
      const { arrayBuffer } = Blob.prototype;
      Blob.prototype.arrayBuffer = function () {
        reads.postMessage("anew");
        return arrayBuffer.call(this);
      };`;
    const reads = { again: 0, anew: 0, end: 0 };
    const channel = new BroadcastChannel("reads");
    channel.addEventListener("message", ({ data }) => reads[data]++);
    const module = new URL("/glacier-upload/worker.js", location);
    const script = URL.createObjectURL(new Blob([`import "${module}";${patch}`], { type: "text/javascript" }));
    const orders = [];
    const createWorker = () => {
      const worker = new Worker(script, { type: "module" });
      const given = [];
      orders.push(given);
      const { postMessage } = worker;
      worker.postMessage = (message, ...more) => {
        if (["recycle", "release"].includes(message[0])) given.push(message[0]);
        postMessage.call(worker, message, ...more);
      };
      return worker;
    };
    const uploader = await library.createUploader({
      endpoint: "/v1", target: { vault }, getHeaders: bearer, createWorker, partSize: 1 << 20, workers: 1,
    });
    const { size } = await uploader.add(new Blob(["z".repeat(40 << 20)])).done();
    // Every message that was sent before has been heard when an own one is.
    await new Promise((resolve) => {
      channel.onmessage = ({ data }) => data === "end" && resolve();
      const end = new BroadcastChannel("reads");
      end.postMessage("end");
    });
    channel.close();
    return { size, reads, orders };
  }, [VAULT]);
  assert.equal(seen.size, 40 << 20);
  // How many depends on how parts and answers come together; all but the first eight, where none do.
  assert.ok(seen.reads.again >= 4, `of 40 parts ${JSON.stringify(seen.reads)}`);
  for (const given of seen.orders.filter((orders) => orders.includes("recycle"))) {
    assert.equal(given.at(-1), "release");
  }
  assert.ok(seen.orders.some((orders) => orders.includes("recycle")));
});
