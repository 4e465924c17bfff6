// Going on with an object after the page was closed. What the bucket has is read back by boto3.

import assert from "node:assert/strict";
import { utimes } from "node:fs/promises";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { BUCKET, World } from "./buckets.mjs";
import { MIB } from "./files.mjs";

const PART = 8 * MIB;
const N_PARTS = 4;
const ALL_PARTS = Array.from({ length: N_PARTS }, (_, index) => index + 1);
const SIZE = N_PARTS * PART - 5;
const KEY = "films/film.mov";
const WRITTEN = new Date("2026-01-02T03:04:05Z");

let world;
let file;

before(async () => {
  world = await World.open([SIZE]);
  file = world.expected.get(SIZE);
  await utimes(file.path, WRITTEN, WRITTEN);
});

after(() => world?.close());

/** What of one visit reaches the store and the gateway; holds back the parts behind the first `parts`, and loses answers. */
class Network {
  sent = []; // numbers of parts
  begun = 0;
  parts = Infinity;
  /** Whether the page hears no more of the gateway once it has sent so many parts, and what the gateway then said. */
  losesAfter = Infinity;
  lost = [];

  meddle({ method, url }) {
    const { searchParams } = new URL(url, "http://localhost");
    if (method === "POST" && searchParams.has("uploads")) this.begun += 1;
    if (method !== "PUT" || !searchParams.has("partNumber")) return undefined;
    const number = Number(searchParams.get("partNumber"));
    // Not the first to arrive, among which might be the last, which is shorter.
    if (number > this.parts) return { hang: true };
    this.sent.push(number);
    return undefined;
  }

  meddleBefore({ url }) {
    if (url !== "/v1/s3" || this.sent.length < this.losesAfter) return undefined;
    return { lose: (answer) => this.lost.push(answer.statusCode) };
  }
}

for (const engine of ["chromium", "firefox"]) describe(engine, () => {
  let browser;
  let network;

  before(async () => {
    browser = await launch(engine);
    await world.renew();
  });

  after(() => browser?.close());

  afterEach(async () => {
    await visit();
    await browser.evaluate(async () => {
      for (const one of await uploader.unfinished()) await one.discard();
    });
    await world.garage.ask("empty");
    await world.allow();
  });

  /** Waits for what the page cannot tell. */
  const until = async (what, isSo) => {
    for (let wait = 0; !(await isSo()); wait++) {
      assert.ok(wait < 600, `waited for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };

  /** Opens the page, chooses the file, and makes `uploader` and `add()` in it. */
  const visit = async (target = {}) => {
    network = new Network();
    world.meddle = (incoming) => network.meddle(incoming);
    world.meddleBefore = (incoming) => network.meddleBefore(incoming);
    await world.visit(browser);
    await browser.setFiles("#files", [file.path]);
    const make = async ({ bucket, authorization, target }) => {
      globalThis.uploader = await library.createUploader({
        endpoint: "/v1", target: { bucket, prefix: "films/", storageClass: "GLACIER", ...target },
        getHeaders: () => ({ authorization }), partSize: 2 ** 23, workers: 2,
      });
      globalThis.add = () => {
        globalThis.upload = uploader.add(document.querySelector("#files").files[0], { key: "films/film.mov" });
        globalThis.upload.done().catch(() => {}); // asked for later, perhaps
      };
      globalThis.left = async () => (await uploader.unfinished()).map(({ bucket, key, bytesConfirmed }) => ({ bucket, key, bytesConfirmed }));
    };
    await browser.evaluate(make, [{ ...world.place(), target }]);
  };

  const done = () => browser.evaluate(() => failureOf(() => upload.done()));

  /** Begins an upload of which the store gets `parts` parts and no more, and the browser has recorded that. */
  const begin = async (parts) => {
    await visit();
    network.parts = parts;
    await browser.evaluate(() => add());
    const isRecorded = async (bytes) => (await left()).some(({ bytesConfirmed }) => bytesConfirmed >= bytes);
    await browser.waitFor(isRecorded, [parts * PART], { what: `a record of ${parts} parts` });
    assert.equal(network.begun, 1);
    return network.sent;
  };

  const assertStored = async (object) => {
    const stored = await world.garage.ask("stored", KEY);
    assert.deepEqual([stored.size, stored.sha256, stored.checksum], [SIZE, file.sha256, object.checksum]);
    assert.deepEqual([object.key, object.size, object.treeHash], [KEY, SIZE, file.treeHash]);
    assert.deepEqual([await world.garage.ask("keys"), await world.garage.ask("uploads")], [[KEY], []]);
    assert.deepEqual(await browser.evaluate(() => left()), []);
  };

  test("after a reload the same file goes on, and no stored part is sent again", { timeout: 300_000 }, async () => {
    const first = await begin(2);
    await visit();
    assert.deepEqual(await browser.evaluate(() => left()), [{ bucket: BUCKET, key: KEY, bytesConfirmed: 2 * PART }]);
    await browser.evaluate(() => add());
    const { succeeded, ...failure } = await done();
    assert.ok(succeeded, JSON.stringify(failure));
    await assertStored(succeeded);
    assert.equal(network.begun, 0);
    assert.deepEqual([...first, ...network.sent].sort(), ALL_PARTS);
  });

  test("what is left is found and resumed without its options, also where the page sees no header of S3's", { timeout: 300_000 }, async () => {
    await world.allow({ hides: true });
    // Not known to be stored by what the page sees: so much only as the bucket has.
    await visit({ metadata: { author: "Anna" } });
    network.parts = 2;
    await browser.evaluate(() => add());
    await browser.waitFor(async () => (await left()).length === 1, [], { what: "a record" });
    await until("two parts on their way", () => network.sent.length === 2);
    await visit();
    await browser.evaluate(async () => {
      const [left] = await uploader.unfinished();
      globalThis.upload = await left.resume(document.querySelector("#files").files[0]);
    });
    const { succeeded, ...failure } = await done();
    assert.ok(succeeded, JSON.stringify(failure));
    await assertStored(succeeded);
    assert.equal((await world.garage.ask("stored", KEY)).metadata.author, "Anna");
    assert.equal(network.begun, 0);
    // Those on their way may have been cut off by the reload, and Garage then wants even one that it lists to be sent again.
    assert.ok(network.sent.length >= N_PARTS - 2 && network.sent.length <= N_PARTS + 2, `${network.sent}`);
  });

  test("a reload after the end was sent gives the same object and sends nothing", { timeout: 300_000 }, async () => {
    await visit();
    network.losesAfter = N_PARTS;
    await browser.evaluate(() => add());
    const lost = async () => {
      await until("an answer to be lost", () => network.lost.includes(200));
      assert.deepEqual(await world.garage.ask("keys"), [KEY]);
    };
    await lost();
    const before = await world.garage.ask("stored", KEY);
    // And once more.
    await visit();
    network.losesAfter = 0;
    await browser.evaluate(() => add());
    await lost();
    assert.deepEqual([network.begun, network.sent], [0, []]);
    await visit();
    await browser.evaluate(() => add());
    const { succeeded, ...failure } = await done();
    assert.ok(succeeded, JSON.stringify(failure));
    assert.deepEqual([network.begun, network.sent], [0, []]);
    await assertStored(succeeded);
    assert.deepEqual(await world.garage.ask("stored", KEY), before);
  });

  test("an upload that the bucket's lifecycle has ended begins anew", { timeout: 300_000 }, async () => {
    await begin(2);
    await world.garage.ask("abort");
    await visit();
    await browser.evaluate(() => add());
    const { succeeded, ...failure } = await done();
    assert.ok(succeeded, JSON.stringify(failure));
    await assertStored(succeeded);
    assert.equal(network.begun, 1);
    assert.deepEqual(network.sent.sort(), ALL_PARTS);
  });
});
