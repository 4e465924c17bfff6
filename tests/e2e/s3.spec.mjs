// Objects: files and streams go from the page straight to a bucket of a real S3 store on another origin, and what the store
// has is what was chosen.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { BUCKET, rules, World } from "./buckets.mjs";
import { MIB } from "./files.mjs";
import { snippet } from "./readme.mjs";

const SIZES = [1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 77];

let world;
let garage;
let site;
let expected;

before(async () => {
  world = await World.open(SIZES);
  ({ garage, site, expected } = world);
});

after(() => world?.close());

/** Uploads the files chosen in the page, and gives what became of them. */
const upload = async ({ endpoint, target, options, authorization, more }) => {
  const uploader = await library.createUploader({
    endpoint, target, getHeaders: () => ({ authorization }), ...more,
  });
  const results = [];
  for (const file of document.querySelector("#files").files) {
    results.push(await failureOf(() => uploader.add(file, options).done()));
  }
  await uploader.close();
  return results;
};

/** Gets objects back, and tells what they are and what arrived. */
const download = async ({ endpoint, bucket, keys, options, authorization }) => {
  const buckets = await library.createBuckets({ endpoint, getHeaders: () => ({ authorization }) });
  const results = [];
  for (const key of keys) {
    results.push(await failureOf(async () => {
      const job = await buckets.bucket(bucket).object(key).retrieve();
      const { status } = await job.done();
      const { blob, ...downloaded } = await job.download(undefined, options).done();
      return { ...downloaded, status, head: job.head, arrived: await readBack(blob) };
    }));
  }
  await buckets.close();
  return results;
};

for (const engine of ["chromium", "firefox"]) describe(engine, () => {
  let browser;
  before(async () => {
    browser = await launch(engine);
    await world.renew();
    await world.visit(browser);
  });
  after(() => browser?.close());

  const send = (target, more = {}) =>
    browser.evaluate(upload, [{ ...world.place(), target: { bucket: BUCKET, ...target }, ...more }]);

  test("a bucket that keeps the page out is found out before the first byte, with the rules to paste", async () => {
    await garage.ask("cors", rules("https://other.example"));
    await browser.setFiles("#files", [expected.get(8 * MIB + 1).path]);
    const [failure] = await send({ prefix: "refused/" });
    assert.deepEqual([failure.isUploadError, failure.code], [true, "CORS_NOT_ALLOWED"], JSON.stringify(failure));
    const pasted = JSON.parse(failure.hint.slice(failure.hint.indexOf("[")));
    assert.ok(pasted[0].AllowedOrigins.includes(site.url));
    assert.deepEqual([await garage.ask("keys"), await garage.ask("uploads")], [[], []]);
    // The rules are what they say.
    await garage.ask("cors", JSON.stringify(pasted));
  });

  test("the README's snippet stores an object", async () => {
    await world.allow();
    const code = (await snippet("Into a bucket")).replace('"/v1"', JSON.stringify(world.place().endpoint));
    const names = 'const { createUploader } = library; const file = new File(["hello, ice"], "hello.txt");';
    const headers = `const getHeaders = () => (${JSON.stringify({ authorization: world.bearer() })});`;
    const key = await browser.evaluate(`(async () => { ${names} ${headers} ${code}; return object.key; })()`);
    assert.equal(key, "2026/hello.txt");
    assert.equal((await garage.ask("stored", key)).size, 10);
  });

  for (const hides of [false, true]) {
    test(`files of one part and of several are stored${hides ? ", though the page sees no header of S3's" : ""}`, async () => {
      await world.allow({ hides });
      await browser.setFiles("#files", SIZES.map((size) => expected.get(size).path));
      const prefix = `hides-${hides}/Größe & <mehr>/`;
      const metadata = { author: "test" };
      const results = await send({ prefix, storageClass: "STANDARD", metadata });
      for (const [nth, size] of SIZES.entries()) {
        const object = results[nth].succeeded;
        assert.ok(object, JSON.stringify(results[nth]));
        const { sha256, treeHash } = expected.get(size);
        assert.deepEqual([object.bucket, object.key, object.size, object.treeHash],
          [BUCKET, `${prefix}${size}.bin`, size, treeHash]);
        const stored = await garage.ask("stored", object.key);
        assert.deepEqual([stored.size, stored.sha256, stored.metadata.author], [size, sha256, "test"]);
        assert.equal(stored.checksum, object.checksum);
        assert.equal(stored.contentType, "application/octet-stream");
      }
      assert.deepEqual(await garage.ask("uploads"), []);
    });
  }

  test("a small file is one request to the bucket, and one more for the answer to a preflight", async () => {
    await world.allow();
    const small = [1, 8 * MIB];
    await browser.setFiles("#files", small.map((size) => expected.get(size).path));
    const seen = [];
    // What the gateway asks has no origin, but for its own preflight.
    world.meddle = ({ method, url, headers }) => {
      if (headers["sec-fetch-mode"] ?? (method !== "OPTIONS" && headers.origin)) {
        seen.push([method, decodeURIComponent(new URL(url, site.url).pathname), headers]);
      }
      return undefined;
    };
    const results = await send({ prefix: "small/", storageClass: "GLACIER_IR" });
    world.meddle = () => undefined;
    const puts = seen.filter(([method]) => method !== "OPTIONS");
    assert.deepEqual(puts.map(([method, path]) => [method, path]), small.map((size) => ["PUT", `/${BUCKET}/small/${size}.bin`]));
    assert.ok(seen.length - puts.length <= small.length, "a preflight each at most");
    for (const [nth, size] of small.entries()) {
      const { succeeded, ...failure } = results[nth];
      assert.ok(succeeded, JSON.stringify(failure));
      const [, , headers] = puts[nth];
      assert.deepEqual([headers["content-length"], headers["x-amz-storage-class"], headers["if-none-match"]], [`${size}`, "GLACIER_IR", "*"]);
      assert.equal(headers["x-amz-checksum-sha256"], Buffer.from(expected.get(size).sha256, "hex").toString("base64"));
      assert.equal((await garage.ask("stored", succeeded.key)).sha256, expected.get(size).sha256);
    }
    assert.deepEqual(await garage.ask("uploads"), []);
  });

  test("what is there is left alone unless the page says otherwise", async () => {
    await world.allow();
    for (const size of [1, 8 * MIB + 1]) {
      await garage.ask("put", `there-${size}`, "somebody else's");
      await browser.setFiles("#files", [expected.get(size).path]);
      const target = { key: `there-${size}`, storageClass: "STANDARD" };
      const [failure] = await send(target);
      assert.deepEqual([failure.code, failure.retryable], ["OBJECT_EXISTS", false], JSON.stringify(failure));
      assert.equal((await garage.ask("stored", target.key)).size, 15);
      const [{ succeeded }] = await send({ ...target, overwrite: true });
      assert.equal((await garage.ask("stored", target.key)).sha256, expected.get(size).sha256);
      assert.equal(succeeded.treeHash, expected.get(size).treeHash);
    }
  });

  test("a stream becomes an object", async () => {
    const write = async ({ endpoint, bucket, authorization, len }) => {
      const target = { bucket, prefix: "", storageClass: "STANDARD" };
      const uploader = await library.createUploader({
        endpoint, target, getHeaders: () => ({ authorization }), partSize: 8 * 2 ** 20,
      });
      const stream = uploader.stream({ key: "streamed", contentType: "video/webm", maxSize: 2 ** 30 });
      const writer = stream.getWriter();
      for (let at = 0; at < len; at += 2 ** 20) await writer.write(new Uint8Array(Math.min(2 ** 20, len - at)).fill(7));
      await writer.close();
      return stream.upload.done();
    };
    const len = 19 * MIB + 5;
    const object = await browser.evaluate(write, [{ ...world.place(), len }]);
    const stored = await garage.ask("stored", "streamed");
    assert.deepEqual([stored.size, stored.checksum, stored.contentType], [len, object.checksum, "video/webm"]);
  });

  test("a token is good for its own objects", async () => {
    await browser.setFiles("#files", [expected.get(1).path]);
    const [failure] = await send({ key: "mine" }, { authorization: world.bearer({ objects: [`${BUCKET}/other/`] }) });
    assert.equal(failure.code, "AUTH_DENIED", JSON.stringify(failure));
  });

  const get = (keys, options, claims) =>
    browser.evaluate(download, [{ ...world.place(claims), keys, options }]);

  const place = async (prefix, sizes) => {
    await world.allow();
    await browser.setFiles("#files", sizes.map((size) => expected.get(size).path));
    await send({ prefix, storageClass: "STANDARD" });
    return sizes.map((size) => `${prefix}${size}.bin`);
  };

  test("objects come back byte for byte, and the tree hash or the store's SHA-256 says so", async () => {
    const keys = await place("Zurück & <so>/", SIZES);
    for (const hides of [false, true]) {
      await world.allow({ hides });
      const results = await get(keys);
      for (const [nth, size] of SIZES.entries()) {
        const { succeeded } = results[nth];
        assert.ok(succeeded, JSON.stringify(results[nth]));
        const { sha256, treeHash } = expected.get(size);
        assert.deepEqual(succeeded.arrived, { size, sha256 });
        assert.deepEqual([succeeded.size, succeeded.treeHash, succeeded.status], [size, treeHash, "Succeeded"]);
        // In one part with the tree hash as metadata; in several without, because this store has no tags.
        assert.equal(succeeded.head.treeHash, size > 8 * MIB ? null : treeHash);
        assert.deepEqual([succeeded.verified, succeeded.why], ["whole", undefined]);
      }
    }
    const [{ succeeded }] = await get([`Zurück & <so>/${20 * MIB + 77}.bin`], { rangeSize: MIB });
    assert.equal(succeeded.arrived.sha256, expected.get(20 * MIB + 77).sha256);
    assert.equal(succeeded.verified, "none");
    assert.match(succeeded.why, /other parts than were fetched/);
  });

  test("a byte that changes on the way is found out", async () => {
    const sizes = [8 * MIB, 20 * MIB + 77];
    const keys = await place("flipped/", sizes);
    world.meddle = (incoming) => incoming.method === "GET" && incoming.headers.range?.startsWith("bytes=0-") ? { flip: 4711 } : undefined;
    try {
      for (const failure of await get(keys)) {
        assert.deepEqual([failure.isUploadError, failure.code, failure.retryable], [true, "CHECKSUM_MISMATCH_WHOLE", false],
          JSON.stringify(failure));
      }
    } finally {
      world.meddle = () => undefined;
    }
  });

  test("an object that takes the place of another is not mixed with it", async () => {
    const [key] = await place("replaced/", [20 * MIB + 77]);
    const replaced = async ({ endpoint, bucket, key, authorization }) => {
      const buckets = await library.createBuckets({ endpoint, getHeaders: () => ({ authorization }) });
      globalThis.job = await (await buckets.bucket(bucket).object(key).retrieve()).done();
    };
    await browser.evaluate(replaced, [{ ...world.place(), key }]);
    await garage.ask("put", key, "something else");
    const failure = await browser.evaluate(() => failureOf(() => job.download().done()));
    assert.deepEqual([failure.code, failure.retryable], ["OBJECT_CHANGED", false], JSON.stringify(failure));
    assert.equal((await browser.evaluate(() => failureOf(() => job.refresh()))).code, "OBJECT_CHANGED");
  });

  test("what is to go goes: objects, and uploads that nobody ended", async () => {
    const [key] = await place("going/", [1]);
    await garage.ask("begin", "going/unfinished");
    await garage.ask("begin", "other/unfinished");
    const go = async ({ endpoint, bucket, key, authorization }) => {
      const buckets = await library.createBuckets({ endpoint, getHeaders: () => ({ authorization }) });
      const object = buckets.bucket(bucket).object(key);
      const before = await object.head();
      await object.delete();
      await object.delete();
      const after = await failureOf(() => object.head());
      const uploads = [];
      for await (const upload of buckets.bucket(bucket).uploads({ prefix: "going/" })) {
        uploads.push([upload.key, upload.createdAt instanceof Date]);
        await upload.abort();
      }
      return { before, after, uploads };
    };
    const remover = world.place({ ops: ["upload", "read", "delete"] });
    const { before, after, uploads } = await browser.evaluate(go, [{ ...remover, key }]);
    assert.deepEqual([before.size, before.storageClass, before.archived, before.restore], [1, "STANDARD", false, null]);
    assert.deepEqual([after.code, after.status], ["OBJECT_NOT_FOUND", 404], JSON.stringify(after));
    assert.deepEqual(uploads, [["going/unfinished", true]]);
    assert.deepEqual(await garage.ask("uploads"), ["other/unfinished"]);
    assert.ok(!(await garage.ask("keys")).includes(key));
  });

  test("a token that may not read gets nothing back", async () => {
    const [failure] = await get(["streamed"], {}, { ops: ["upload"] });
    assert.equal(failure.code, "AUTH_DENIED", JSON.stringify(failure));
  });
});
