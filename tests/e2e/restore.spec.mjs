// Objects that come back from the cold, and parts of them. No store that every machine has keeps archives, so that a proxy
// plays that: between the gateway and the store as between the page and the store it answers as Amazon S3 does for an archived
// object, over bytes that a real store has.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { BUCKET, World } from "./buckets.mjs";
import { MIB } from "./files.mjs";
import { VAULT } from "./gateway.mjs";

const SIZE = 20 * MIB + 77;
const PART = 8 * MIB;

let world;

before(async () => {
  world = await World.open([SIZE]);
});

after(() => world?.close());

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The store's error, shown to the page as a bucket shows it whose rules let the page in. */
const refusal = (status, code, { origin }) => ({
  status,
  headers: { "content-type": "application/xml", ...(origin && { "access-control-allow-origin": origin }) },
  body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>cold</Message></Error>`),
});

/** An object as a class of archives has it. */
class Archived {
  state = "archived"; // then "ongoing", and "ready" after so many looks
  looks = Infinity;
  /** Ranges that the page may fetch before the copy's days are over. */
  reads = Infinity;
  /** What was asked for, as promises of the requests' bodies. */
  restores = [];
  ranges = [];

  constructor(key, storageClass) {
    this.path = `/${BUCKET}/${key}`;
    this.storageClass = storageClass;
  }

  meddle(incoming) {
    const { method, url, headers } = incoming;
    const { pathname, searchParams } = new URL(url, "http://localhost");
    if (pathname !== this.path) return undefined;
    if (method === "HEAD") return { more: this.look() };
    if (method === "POST" && searchParams.has("restore")) return this.restore(incoming);
    if (method !== "GET") return undefined;
    if (this.state !== "ready" || this.reads === 0) {
      this.state = "archived";
      return refusal(403, "InvalidObjectState", headers);
    }
    this.reads -= 1;
    this.ranges.push(headers.range);
    return undefined;
  }

  look() {
    if (this.state === "ongoing" && this.looks-- === 0) this.state = "ready";
    const restore = {
      archived: {},
      ongoing: { "x-amz-restore": 'ongoing-request="true"' },
      ready: { "x-amz-restore": 'ongoing-request="false", expiry-date="Fri, 21 Dec 2035 00:00:00 GMT"' },
    };
    return { "x-amz-storage-class": this.storageClass, ...restore[this.state] };
  }

  restore(incoming) {
    this.restores.push(text(incoming));
    if (this.state === "ongoing") return refusal(409, "RestoreAlreadyInProgress", {});
    const status = this.state === "ready" ? 200 : 202;
    if (this.state === "archived") this.state = "ongoing";
    return { status, headers: {}, body: Buffer.alloc(0) };
  }
}

for (const engine of ["chromium", "firefox"]) describe(engine, () => {
  let browser;

  before(async () => {
    browser = await launch(engine);
    await world.renew();
    await world.visit(browser);
    await browser.setFiles("#files", [world.expected.get(SIZE).path]);
    const store = async ({ endpoint, bucket, authorization }) => {
      const target = { bucket, prefix: "", storageClass: "GLACIER" };
      const uploader = await library.createUploader({ endpoint, target, getHeaders: () => ({ authorization }), partSize: 2 ** 23 });
      const [file] = document.querySelector("#files").files;
      await uploader.add(file, { key: "cold" }).done();
      await uploader.close();
      globalThis.buckets = await library.createBuckets({ endpoint, getHeaders: () => ({ authorization }) });
      globalThis.object = buckets.bucket(bucket).object("cold");
      globalThis.arrived = async ({ blob, ...rest }) => ({ ...rest, arrived: await readBack(blob) });
    };
    await browser.evaluate(store, [world.place()]);
  });

  after(() => browser?.close());

  afterEach(() => {
    world.meddle = () => undefined;
  });

  const archive = (storageClass, state = "archived") => {
    const cold = Object.assign(new Archived("cold", storageClass), { state });
    world.meddle = (incoming) => cold.meddle(incoming);
    return cold;
  };

  test("an archived object is refused, restored, waited for and downloaded, and its checksum says that it is the same", async () => {
    const cold = archive("GLACIER");
    const began = await browser.evaluate(async () => {
      const before = await object.head();
      globalThis.job = await object.retrieve({ days: 5, tier: "Bulk" });
      const { action, bucket, key, status, completed, size, head } = job;
      const early = await failureOf(async () => job.download().done());
      // A page that was closed asks again, and that is as good.
      const again = await object.retrieve({ days: 5, tier: "Bulk" });
      return { before, action, bucket, key, status, completed, size, head, early, again: again.status };
    });
    assert.deepEqual([began.before.storageClass, began.before.archived, began.before.restore], ["GLACIER", true, null]);
    assert.deepEqual([began.action, began.bucket, began.key, began.size], ["ObjectRestore", BUCKET, "cold", SIZE]);
    assert.deepEqual([began.status, began.completed, began.head.restore.ongoing, began.again], ["InProgress", false, true, "InProgress"]);
    assert.deepEqual([began.early.isUploadError, began.early.code], [true, "JOB_NOT_READY"], JSON.stringify(began.early));
    assert.equal(cold.restores.length, 2);
    for (const asked of await Promise.all(cold.restores)) {
      assert.match(asked, /<Days>5<\/Days>/);
      assert.match(asked, /<GlacierJobParameters><Tier>Bulk<\/Tier><\/GlacierJobParameters>/);
    }
    assert.deepEqual(cold.ranges, [], "nothing is fetched before it can be");
    cold.looks = 2;
    const ended = await browser.evaluate(async () => {
      const { status, completed, head } = await job.done();
      const expiresAt = head.restore.expiresAt.toISOString();
      return { status, completed, expiresAt, ...(await arrived(await job.download().done())) };
    });
    const { sha256, treeHash } = world.expected.get(SIZE);
    assert.deepEqual([ended.status, ended.completed, ended.expiresAt], ["Succeeded", true, "2035-12-21T00:00:00.000Z"]);
    assert.deepEqual(ended.arrived, { size: SIZE, sha256 });
    assert.deepEqual([ended.verified, ended.treeHash], ["whole", treeHash]);
    assert.equal(cold.ranges.length, 3);
    // A copy that is there is kept longer.
    assert.equal(await browser.evaluate(async () => (await object.retrieve({ days: 9 })).status), "Succeeded");
    assert.match(await cold.restores[2], /<Days>9<\/Days>.*<Tier>Standard</);
  });

  test("a download outlives the days of the copy", async () => {
    const cold = archive("DEEP_ARCHIVE", "ready");
    cold.reads = 1;
    const failure = await browser.evaluate(async ({ endpoint, bucket, authorization }) => {
      // One range at a time, so that the first has come when the second is refused.
      const options = { endpoint, getHeaders: () => ({ authorization }), concurrency: 1 };
      globalThis.object = (await library.createBuckets(options)).bucket(bucket).object("cold");
      globalThis.job = await (await object.retrieve()).done();
      globalThis.download = job.download();
      return failureOf(() => download.done());
    }, [world.place()]);
    assert.deepEqual([failure.isUploadError, failure.code], [true, "JOB_EXPIRED"], JSON.stringify(failure));
    assert.equal((await browser.evaluate(() => failureOf(async () => (await job.refresh()).done()))).code, "JOB_EXPIRED");
    Object.assign(cold, { reads: Infinity, looks: 1 });
    const whole = await browser.evaluate(async () => {
      download.continueWith(await (await object.retrieve()).done());
      download.resume();
      return arrived(await download.done());
    });
    assert.deepEqual(whole.arrived, { size: SIZE, sha256: world.expected.get(SIZE).sha256 });
    assert.equal(cold.ranges.length, 3, "what had come was kept");
  });

  test("what a class does not have, or needs none of, is not asked of the store", async () => {
    const cold = archive("DEEP_ARCHIVE");
    const refused = await browser.evaluate(() => failureOf(() => object.retrieve({ tier: "Expedited" })));
    assert.deepEqual([refused.code, cold.restores.length], ["INVALID_OPTION", 0], JSON.stringify(refused));
    world.meddle = () => undefined;
    const warm = await browser.evaluate(async () => (await object.retrieve({ tier: "Expedited" })).status);
    assert.equal(warm, "Succeeded");
  });

  test("a range of it is those bytes and no others, and nothing more is claimed of it than is so", async () => {
    const bytes = await readFile(world.expected.get(SIZE).path);
    const cold = archive("GLACIER", "ready");
    const get = (options) => browser.evaluate(async (options) => {
      const job = await (await object.retrieve()).done();
      return failureOf(async () => arrived(await job.download(undefined, options).done()));
    }, [options]);
    for (const [start, end] of [[0, 1], [5, PART + 6], [PART, 2 * PART], [SIZE - MIB - 3, SIZE]]) {
      cold.ranges = [];
      const { succeeded, ...failure } = await get({ range: { start, end } });
      assert.ok(succeeded, JSON.stringify(failure));
      assert.deepEqual(succeeded.arrived, { size: end - start, sha256: sha256(bytes.subarray(start, end)) });
      assert.deepEqual([succeeded.size, succeeded.verified], [end - start, "none"]);
      assert.match(succeeded.why, /a part was downloaded/);
      const asked = cold.ranges.map((range) => /^bytes=(\d+)-(\d+)$/.exec(range).slice(1).map(Number)).sort(([a], [b]) => a - b);
      assert.deepEqual([asked[0][0], asked.at(-1)[1] + 1], [start, end]);
      assert.equal(asked.reduce((sum, [first, last]) => sum + last + 1 - first, 0), end - start);
      // Who knows the tree hash of these bytes has them verified.
      const { treeHash } = succeeded;
      assert.equal((await get({ range: { start, end }, treeHash })).succeeded?.verified, "whole");
      assert.equal((await get({ range: { start, end }, treeHash: "00".repeat(32) })).code, "CHECKSUM_MISMATCH_WHOLE");
    }
    const all = await get({ range: { start: 0, end: SIZE } });
    assert.equal(all.succeeded?.verified, "whole", JSON.stringify(all));
    for (const range of [{ start: 0, end: SIZE + 1 }, { start: 5, end: 5 }, { start: -1, end: 5 }]) {
      assert.equal((await get({ range })).code, "INVALID_RANGE", JSON.stringify(range));
    }
  });

  test("what is written for a job of one store takes a job of the other", async () => {
    const cold = archive("GLACIER");
    cold.looks = 1;
    const ops = ["upload", "read"];
    const both = async ({ endpoint, authorization, vault }) => {
      const getHeaders = () => ({ authorization });
      const [file] = document.querySelector("#files").files;
      const uploader = await library.createUploader({ endpoint, target: { vault }, getHeaders });
      const { archiveId } = await uploader.add(file).done();
      await uploader.close();
      const vaults = await library.createVaults({ endpoint, getHeaders });
      const results = [];
      for (const job of [await vaults.vault(vault).retrieve(archiveId), await object.retrieve({ tier: "Standard" })]) {
        const begun = [job.action, job.completed === (job.status !== "InProgress")];
        const { status, completed, size, treeHash } = await (await job.done()).refresh();
        const ended = { status, completed, size, treeHash };
        const whole = await arrived(await job.download().done());
        const part = await arrived(await job.download(undefined, { range: { start: 7, end: 9 * 2 ** 20 } }).done());
        const foreign = [job.jobId === null, job.vault === null, job.key === null, job.head === null];
        const archives = await failureOf(async () => job.archives());
        results.push({ begun, ended, whole, part, foreign, archives: archives.code });
      }
      await vaults.close();
      return results;
    };
    const [archived, stored] = await browser.evaluate(both, [{ ...world.place({ ops }), vault: VAULT }]);
    const { sha256: whole, treeHash } = world.expected.get(SIZE);
    const part = sha256((await readFile(world.expected.get(SIZE).path)).subarray(7, 9 * MIB));
    for (const [job, action, hash, foreign] of [
      [archived, "ArchiveRetrieval", treeHash, [false, false, true, true]],
      // This store has no tags, so that nothing but the SHA-256 over the parts is kept.
      [stored, "ObjectRestore", null, [true, true, false, false]],
    ]) {
      assert.deepEqual(job.begun, [action, true]);
      assert.deepEqual(job.ended, { status: "Succeeded", completed: true, size: SIZE, treeHash: hash });
      assert.deepEqual([job.whole.arrived.sha256, job.whole.verified], [whole, "whole"]);
      assert.deepEqual([job.part.arrived.sha256, job.part.verified], [part, "none"]);
      assert.deepEqual([job.foreign, job.archives], [foreign, "INVALID_OPTION"]);
    }
  });
});
