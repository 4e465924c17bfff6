// Objects: files and streams go from the page straight to a bucket of a real S3 store on another origin, and what the store
// has is what was chosen.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { startGarage } from "./garage.mjs";
import { startGateway } from "./gateway.mjs";
import { snippet } from "./readme.mjs";
import { librarySite, startSite } from "./site.mjs";

const BUCKET = "my-archive";
const SIZES = [1, 8 * MIB, 8 * MIB + 1, 50 * MIB + 77];

let files;
let garage;
let packaged;
let gateway;
let site;
const expected = new Map();

/** Rules as the documentation has them. `hides` leaves out what shows the page S3's own headers. */
const rules = (origin, hides = false) => JSON.stringify([{
  AllowedOrigins: [origin],
  AllowedMethods: ["PUT", "GET", "HEAD"],
  AllowedHeaders: ["*"],
  ...(hides ? {} : { ExposeHeaders: ["ETag", "x-amz-checksum-sha256", "x-amz-version-id"] }),
  MaxAgeSeconds: 1,
}]);

before(async () => {
  files = await scratch();
  for (const size of SIZES) {
    const path = await makeFile(files.folder, `${size}.bin`, size);
    expected.set(size, { path, ...(await fileFacts(path)) });
  }
  garage = await startGarage(BUCKET);
  Object.assign(process.env, garage.env);
  packaged = await librarySite();
  site = await startSite(packaged.folder);
  const store = ["--s3-endpoint", garage.url, "--s3-region", "garage", "--bucket", BUCKET];
  gateway = await startGateway({ args: [...store, "--allow-origin", site.url] });
});

after(async () => {
  await site?.stop();
  await gateway?.stop();
  await packaged?.remove();
  await garage?.stop();
  await files?.remove();
});

const bearer = (claims = {}) =>
  `Bearer ${gateway.token({ vaults: [], objects: [`${BUCKET}/`], ops: ["upload", "read"], ...claims })}`;

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

describe("chromium", () => {
  let browser;
  before(async () => {
    browser = await launch("chromium");
    await browser.open(site.url);
    await browser.waitFor(() => document.documentElement.dataset.ready);
  });
  after(() => browser?.close());

  const send = (target, more = {}) =>
    browser.evaluate(upload, [
      { endpoint: `${gateway.url}/v1`, target: { bucket: BUCKET, ...target }, authorization: bearer(), ...more },
    ]);

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
    await garage.ask("cors", rules(site.url));
    const code = (await snippet("Into a bucket")).replace('"/v1"', JSON.stringify(`${gateway.url}/v1`));
    const names = 'const { createUploader } = library; const file = new File(["hello, ice"], "hello.txt");';
    const headers = `const getHeaders = () => (${JSON.stringify({ authorization: bearer() })});`;
    const key = await browser.evaluate(`(async () => { ${names} ${headers} ${code}; return object.key; })()`);
    assert.equal(key, "2026/hello.txt");
    assert.equal((await garage.ask("stored", key)).size, 10);
  });

  for (const hides of [false, true]) {
    test(`files of one part and of several are stored${hides ? ", though the page sees no header of S3's" : ""}`, async () => {
      await garage.ask("cors", rules(site.url, hides));
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

  test("what is there is left alone unless the page says otherwise", async () => {
    await garage.ask("cors", rules(site.url));
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
    const endpoint = `${gateway.url}/v1`;
    const object = await browser.evaluate(write, [{ endpoint, bucket: BUCKET, authorization: bearer(), len }]);
    const stored = await garage.ask("stored", "streamed");
    assert.deepEqual([stored.size, stored.checksum, stored.contentType], [len, object.checksum, "video/webm"]);
  });

  test("a token is good for its own objects", async () => {
    await browser.setFiles("#files", [expected.get(1).path]);
    const [failure] = await send({ key: "mine" }, { authorization: bearer({ objects: [`${BUCKET}/other/`] }) });
    assert.equal(failure.code, "AUTH_DENIED", JSON.stringify(failure));
  });
});
