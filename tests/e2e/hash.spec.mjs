// The published vectors through the shipped WebAssembly in every engine: where WebCrypto is there, and on a plain-HTTP
// origin where it is not. And the plans of files nobody has at hand.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { MIB, scratch } from "./files.mjs";
import { librarySite, startSite } from "./site.mjs";

const { vectors } = JSON.parse(await readFile(resolve(import.meta.dirname, "../vectors/tree_hash.json"), "utf8"));
const ORIGINS = [
  { name: "chromium", engine: "chromium", secure: true },
  { name: "chromium without WebCrypto", engine: "chromium", secure: false },
  { name: "firefox", engine: "firefox", secure: true },
  { name: "webkit", engine: "webkit", secure: true },
];

let files;
let packaged;
let site;
let paths;

before(async () => {
  files = await scratch();
  packaged = await librarySite();
  site = await startSite(packaged.folder);
  paths = [];
  for (const [index, { pattern, size }] of vectors.entries()) {
    paths.push(join(files.folder, `${index}.bin`));
    await writeFile(paths[index], bytes(pattern, size));
  }
});

after(async () => {
  await site.stop();
  await packaged.remove();
  await files.remove();
});

test("there are 51 vectors", () => assert.equal(vectors.length, 51));

for (const { name, engine, secure } of ORIGINS) {
  describe(name, () => {
    let browser;

    before(async () => {
      browser = await launch(engine, { args: secure ? [] : ["--host-resolver-rules=MAP upload.example 127.0.0.1"] });
      await browser.open(secure ? `${site.url}/` : `http://upload.example:${site.port}/`);
      await browser.waitFor(() => document.documentElement.dataset.ready);
      await browser.setFiles("#files", paths);
    });

    after(() => browser?.close());

    test(`${name}: the origin has WebCrypto as announced`, async () => {
      assert.equal(await browser.evaluate(() => isSecureContext && "subtle" in crypto), secure);
    });

    for (const [index, { size, pattern, tree }] of vectors.entries()) {
      test(`${name}: ${size} bytes of ${pattern}`, { timeout: 120_000 }, async () => {
        const hash = (index) => library.treeHash(document.querySelector("#files").files[index]);
        assert.equal(await browser.evaluate(hash, [index]), tree);
      });
    }

    test(`${name}: progress of hashing never falls and ends at the size`, async () => {
      const largest = vectors.findIndex(({ size }) => size === Math.max(...vectors.map(({ size }) => size)));
      const seen = await browser.evaluate(async (index) => {
        const seen = [];
        await library.treeHash(document.querySelector("#files").files[index], { onProgress: (p) => seen.push(p) });
        return seen;
      }, [largest]);
      const counts = seen.map(({ bytesHashed }) => bytesHashed);
      assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
      assert.equal(counts.at(-1), vectors[largest].size);
      assert.ok(seen.every(({ bytesTotal }) => bytesTotal === vectors[largest].size));
    });

    test(`${name}: hashing is cancelled by a signal`, async () => {
      const failure = await browser.evaluate(() => {
        const signal = AbortSignal.abort();
        return failureOf(() => library.treeHash(new Blob(["x"]), { signal }));
      });
      assert.equal(failure.name, "AbortError");
    });

    test(`${name}: 40,000 GiB are planned, one byte more is refused`, async () => {
      const most = 10_000 * 4096 * MIB;
      const plan = await browser.evaluate((size) => library.planParts(size), [most]);
      assert.deepEqual(plan, { partSize: 4096 * MIB, parts: 10_000, lastPartSize: 4096 * MIB });
      const failure = await browser.evaluate((size) => failureOf(() => library.planParts(size)), [most + 1]);
      assert.equal(failure.code, "FILE_TOO_LARGE");
      const small = await browser.evaluate(() => failureOf(() => library.planParts(11 * 2 ** 30, 2 ** 20)));
      assert.equal(small.code, "TOO_MANY_PARTS");
    });
  });
}

/** The byte patterns, as the vectors' file describes them. */
function bytes(pattern, size) {
  const made = Buffer.alloc(size);
  const fill = (byte) => {
    for (let i = 0; i < size; i++) made[i] = byte(i);
  };
  switch (pattern) {
    case "zero": break;
    case "ff": made.fill(0xff); break;
    case "a": made.fill("a"); break;
    case "0": made.fill("0"); break;
    case "mod251": fill((i) => i % 251); break;
    case "leaf": fill((i) => Math.floor(i / MIB) % 256); break;
    case "ctr":
      for (let i = 0; i * 32 < size; i++) {
        const counter = Buffer.alloc(8);
        counter.writeBigUInt64BE(BigInt(i));
        createHash("sha256").update(counter).digest().copy(made, i * 32);
      }
      break;
    case "lcg": {
      let x = 0;
      // x * 1103515245 exceeds 2^53, so the product is taken modulo 2^31 in integers.
      fill(() => ((x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) >>> 16) & 255);
      break;
    }
    default: throw new Error(`unknown pattern ${pattern}`);
  }
  return made;
}
