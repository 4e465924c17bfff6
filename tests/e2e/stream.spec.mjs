// Streams: data of unknown length goes into an archive while it is made, and what the store has is what was written.

import assert from "node:assert/strict";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { ENGINES, launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { librarySite, startSite } from "./site.mjs";

const LARGE = 100 * MIB;
const SEAMS = [1, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 1];
const PIPED = 5 * MIB + 77;

let files;
let packaged;
let gateway;
let site;
const expected = new Map();

before(async () => {
  files = await scratch();
  for (const size of [...SEAMS, PIPED, LARGE]) {
    const path = await makeFile(files.folder, `${size}.bin`, size);
    expected.set(size, { path, ...(await fileFacts(path)) });
  }
  packaged = await librarySite();
  await copyFile(expected.get(PIPED).path, join(packaged.folder, "piped.bin"));
  gateway = await startGateway();
  site = await startSite(packaged.folder, { gateway: gateway.url });
});

after(async () => {
  await site?.stop();
  await gateway?.stop();
  await packaged?.remove();
  await files?.remove();
});

/** Uploads that the store has and that are neither complete nor aborted. */
async function openUploads() {
  const token = gateway.token({ ops: ["ListMultipartUploads"] });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = JSON.stringify({ intents: [{ op: "ListMultipartUploads", vault: VAULT }] });
  const signed = await fetch(`${gateway.url}/v1/sign`, { method: "POST", headers, body });
  assert.equal(signed.status, 200, gateway.log());
  const [{ url, ...request }] = (await signed.json()).requests;
  const answer = await fetch(new URL(url, `${gateway.url}/v1/sign`), request);
  assert.equal(answer.status, 200);
  return (await answer.json()).UploadsList;
}

async function assertStored(archive, size) {
  const { sha256, treeHash } = expected.get(size);
  assert.deepEqual([archive.size, archive.treeHash], [size, treeHash]);
  const stored = await storedArchive(gateway.data, archive.archiveId, VAULT);
  assert.deepEqual([stored.size, stored.sha256, stored.tree_hash], [size, sha256, treeHash]);
}

for (const engine of ENGINES) {
  describe(engine, () => {
    let browser;

    before(async () => {
      browser = await launch(engine);
    });

    after(() => browser?.close());

    beforeEach(async () => {
      await browser.open(`${site.url}/`);
      await browser.waitFor(() => document.documentElement.dataset.ready);
      await browser.evaluate((vault) => {
        globalThis.signed = [];
        /** An uploader, with every intent noted, that waits for `gate` before it signs. */
        globalThis.uploaderOf = (options = {}, gate = () => undefined) =>
          library.createUploader({
            sign: async (intents) => {
              signed.push(...intents.map(({ op }) => op));
              await gate(intents);
              const headers = { "content-type": "application/json", ...(await bearer()) };
              const response = await fetch("/v1/sign", { method: "POST", headers, body: JSON.stringify({ intents }) });
              return (await response.json()).requests;
            },
            target: { vault },
            ...options,
          });
        const pattern = Uint8Array.from({ length: (1 << 20) + 251 }, (_, at) => at % 251);
        /** Bytes with period 251, as the files of the tests have them. */
        globalThis.bytesAt = (at, length) => pattern.slice(at % 251, (at % 251) + length);
        /** A source of `size` such bytes in chunks of up to `most`, made only as they are asked for. */
        globalThis.sourceOf = (size, most = 65_536, fail = undefined) => {
          let at = 0;
          return new ReadableStream({
            pull(controller) {
              if (at === size) return fail ? controller.error(fail) : controller.close();
              const chunk = bytesAt(at, Math.min(most, size - at));
              at += chunk.length;
              controller.enqueue(chunk);
            },
          }, { highWaterMark: 0 });
        };
      }, [VAULT]);
    });

    test(`${engine} stores lengths on the seams of parts`, { timeout: 120_000 }, async () => {
      const sizes = engine === "webkit" ? [1, MIB + 1] : SEAMS;
      const archives = await browser.evaluate(async (sizes) => {
        const uploader = await uploaderOf({ partSize: 1 << 20 });
        const archives = [];
        for (const size of sizes) {
          const stream = uploader.stream();
          const writer = stream.getWriter();
          // One after the other each kind of chunk, some empty, some longer than a part.
          for (let at = 0, turn = 0; at < size; turn++) {
            const bytes = bytesAt(at, Math.min([300_000, 7, 0, 1 << 20, 123_456][turn % 5], size - at));
            const kinds = [() => bytes, () => bytes.slice().buffer, () => new Blob([bytes])];
            await writer.write(kinds[turn % 3]());
            bytes.fill(0); // What was written is ours no more.
            at += bytes.length;
          }
          await writer.close();
          archives.push({ ...(await stream.upload.done()), written: stream.bytesWritten, hash: stream.currentTreeHash });
        }
        return archives;
      }, [sizes]);
      for (const [index, size] of sizes.entries()) {
        await assertStored(archives[index], size);
        assert.deepEqual([archives[index].written, archives[index].hash], [size, expected.get(size).treeHash]);
      }
      assert.deepEqual(await openUploads(), []);
    });

    if (engine === "webkit") return; // The small case shows the engine; the rest is the same code.

    test(`${engine} stores 100 MiB that are made as they are piped`, { timeout: 300_000 }, async () => {
      const seen = await browser.evaluate(async (size) => {
        const uploader = await uploaderOf({ memoryBudget: 32 << 20, partSize: 4 << 20 });
        const stream = uploader.stream({ description: "made as it goes" });
        const seen = { totals: [], hashes: new Set(), etas: new Set() };
        let open = true;
        stream.upload.on("progress", ({ bytesTotal, bytesConfirmed, etaMs }) => {
          seen.totals.push(bytesTotal);
          seen.hashes.add(stream.currentTreeHash);
          if (open && bytesConfirmed < bytesTotal) seen.etas.add(etaMs);
        });
        const source = sourceOf(size).pipeThrough(new TransformStream({ flush: () => void (open = false) }));
        await source.pipeTo(stream);
        const instance = [stream instanceof library.ArchiveWriter, stream instanceof WritableStream];
        const archive = await stream.upload.done();
        return { ...seen, hashes: seen.hashes.size, etas: [...seen.etas], archive, instance, locked: stream.locked };
      }, [LARGE]);
      await assertStored(seen.archive, LARGE);
      assert.deepEqual(seen.instance, [true, true]);
      assert.ok(seen.totals.every((total, at) => at === 0 || total >= seen.totals[at - 1]), "the total only grows");
      assert.ok(new Set(seen.totals).size > 2, `${seen.totals}`);
      assert.equal(seen.totals.at(-1), LARGE);
      assert.ok(seen.hashes > 2, "the tree hash grows with the stream");
      assert.deepEqual(seen.etas.filter((eta) => eta !== null), [], "no time left is known of an open stream");
    });

    test(`${engine}: the body of a response can be piped`, { timeout: 60_000 }, async () => {
      const archive = await browser.evaluate(async () => {
        const stream = (await uploaderOf()).stream({ partSize: 1 << 20 });
        await (await fetch("/piped.bin")).body.pipeTo(stream);
        return stream.upload.done();
      });
      await assertStored(archive, PIPED);
    });

    test(`${engine}: writes wait while nothing gets through, and go on after`, { timeout: 60_000 }, async () => {
      const seen = await browser.evaluate(async (size) => {
        let open;
        const gate = new Promise((resolve) => (open = resolve));
        const uploader = await uploaderOf({ partSize: 1 << 20, memoryBudget: 2 << 20, concurrency: 1 }, () => gate);
        const stream = uploader.stream();
        const writer = stream.getWriter();
        const hashed = new Promise((resolve) =>
          stream.upload.on("progress", ({ parts }) => parts.hashed === 1 && signed.length > 0 && resolve()));
        let taken = 0;
        const writes = [];
        for (let at = 0; at < size; at += 1 << 20) {
          const chunk = bytesAt(at, Math.min(1 << 20, size - at));
          writes.push(writer.write(chunk).then(() => void (taken += chunk.length)));
        }
        await hashed;
        const held = { taken, written: stream.bytesWritten, room: writer.desiredSize, signed: [...signed] };
        let ready = false;
        writer.ready.then(() => (ready = true));
        await Promise.resolve();
        held.ready = ready;
        open();
        await Promise.all(writes);
        await writer.close();
        return { held, taken, archive: await stream.upload.done() };
      }, [PIPED]);
      assert.equal(seen.held.written, 2 * MIB, "as much as the budget allows");
      assert.ok(seen.held.taken <= 2 * MIB && seen.held.room < 0 && !seen.held.ready, JSON.stringify(seen.held));
      assert.deepEqual(seen.held.signed, ["InitiateMultipartUpload"]);
      assert.equal(seen.taken, PIPED);
      await assertStored(seen.archive, PIPED);
    });

    test(`${engine}: abort leaves no upload in the store, whenever it comes`, { timeout: 120_000 }, async () => {
      const seen = await browser.evaluate(async () => {
        const results = [];
        const real = globalThis.fetch;
        const attempt = async (name, run) => {
          const stream = (await uploaderOf({ partSize: 1 << 20, memoryBudget: 2 << 20 })).stream();
          const done = stream.upload.done().catch((error) => error.name);
          const writer = stream.getWriter();
          const closed = writer.closed.catch((error) => String(error));
          signed.length = 0;
          await run(stream, writer);
          results.push([name, stream.upload.state, await done, await closed, signed.includes("AbortMultipartUpload")]);
        };
        await attempt("before a part is full", async (stream, writer) => {
          await writer.write(bytesAt(0, 5));
          await writer.abort("no more");
        });
        await attempt("while the upload is opened", async (stream, writer) => {
          const opened = new Promise((resolve) => {
            globalThis.fetch = async (input, init) => {
              const answer = await real(input, init);
              if (/multipart-uploads$/.test(input.url ?? input)) {
                resolve();
                await new Promise((later) => (globalThis.release = later));
              }
              return answer;
            };
          });
          await writer.write(bytesAt(0, 1 << 20));
          await opened; // The store has it; the page does not know it yet.
          globalThis.fetch = real;
          const aborted = writer.abort("no more");
          release();
          await aborted;
        });
        await attempt("while a write waits", async (stream, writer) => {
          const confirmed = new Promise((resolve) =>
            stream.upload.on("progress", ({ parts }) => parts.confirmed > 0 && resolve()));
          let at = 0;
          const writing = (async () => {
            for (; ; at += 1 << 20) await writer.write(bytesAt(at, 1 << 20));
          })().catch(() => undefined);
          await confirmed;
          await writer.abort("no more");
          await writing;
        });
        await attempt("by the upload", async (stream, writer) => {
          await writer.write(bytesAt(0, (1 << 20) + 1));
          await stream.upload.abort();
        });
        const stop = new AbortController();
        const stream = (await uploaderOf()).stream({ signal: stop.signal, partSize: 1 << 20 });
        const writer = stream.getWriter();
        await writer.write(bytesAt(0, 1 << 20));
        stop.abort();
        results.push(["by the signal", await writer.closed.catch((error) => error.name), stream.upload.state]);
        return results;
      });
      const [before, opening, waiting, byUpload, bySignal] = seen;
      assert.deepEqual(before.slice(1), ["aborted", "AbortError", "no more", false]);
      assert.deepEqual(opening.slice(1), ["aborted", "AbortError", "no more", true]);
      assert.deepEqual(waiting.slice(1), ["aborted", "AbortError", "no more", true]);
      assert.deepEqual(byUpload.slice(1, 3), ["aborted", "AbortError"]);
      assert.match(byUpload[3], /AbortError/);
      assert.deepEqual(bySignal.slice(1), ["AbortError", "aborted"]);
      assert.deepEqual(await openUploads(), []);
    });

    test(`${engine}: a source that fails midway leaves nothing in the store`, { timeout: 60_000 }, async () => {
      const seen = await browser.evaluate(async (size) => {
        const stream = (await uploaderOf({ partSize: 1 << 20, memoryBudget: 2 << 20 })).stream();
        const source = sourceOf(size, 1 << 20, new RangeError("the camera was unplugged"));
        const error = await source.pipeTo(stream).catch((error) => error);
        const done = await stream.upload.done().catch((error) => error.name);
        return [error.name, error.message, stream.upload.state, done, signed.includes("UploadMultipartPart")];
      }, [PIPED]);
      assert.deepEqual(seen, ["RangeError", "the camera was unplugged", "aborted", "AbortError", true]);
      assert.deepEqual(await openUploads(), []);
    });

    test(`${engine}: what cannot become an archive has a code of its own`, { timeout: 60_000 }, async () => {
      const seen = await browser.evaluate(async () => {
        const uploader = await uploaderOf({ partSize: 1 << 20 });
        const detached = new ArrayBuffer(8);
        const view = new Uint8Array(detached);
        structuredClone(detached, { transfer: [detached] });
        const results = {};
        const attempt = async (name, chunks, options) => {
          signed.length = 0;
          const stream = uploader.stream(options);
          const writer = stream.getWriter();
          const closed = failureOf(() => writer.closed);
          const ended = await failureOf(async () => {
            for (const chunk of chunks) await writer.write(chunk);
            await writer.close();
          });
          const done = await failureOf(() => stream.upload.done());
          results[name] = [ended, await closed, done].map(({ isUploadError, code }) => (isUploadError ? code : "other"));
          results[name].push(stream.upload.state, signed.filter((op) => op !== "UploadMultipartPart").join());
        };
        await attempt("empty", []);
        await attempt("empty chunks", [new Uint8Array(), new ArrayBuffer(0), new Blob()]);
        await attempt("too much", [1, 2, 3].map(() => bytesAt(0, 1 << 20)), { maxSize: (3 << 20) - 1 });
        for (const [name, chunk] of Object.entries({ text: "text", nothing: undefined, array: [1, 2],
          other: new Int16Array(2), detached, view })) {
          await attempt(name, [chunk]);
        }
        const options = {};
        for (const [name, given] of Object.entries({ misspelt: { maxsize: 1 }, zero: { maxSize: 0 }, odd: { partSize: 3 },
          description: { description: "é" }, signal: { signal: 1 }, many: { maxSize: 2 ** 40 } })) {
          options[name] = (await failureOf(() => uploader.stream(given))).code;
        }
        return { results, options };
      });
      const refused = ["INVALID_OPTION", "INVALID_OPTION", "INVALID_OPTION", "failed", ""];
      const empty = ["FILE_EMPTY", "FILE_EMPTY", "FILE_EMPTY", "failed", ""];
      const { "too much": tooMuch, ...others } = seen.results;
      assert.deepEqual(others, {
        "empty": empty, "empty chunks": empty, "text": refused, "nothing": refused, "array": refused, "other": refused,
        "detached": refused, "view": refused,
      });
      assert.deepEqual(tooMuch.slice(0, 4), ["FILE_TOO_LARGE", "FILE_TOO_LARGE", "FILE_TOO_LARGE", "failed"]);
      assert.deepEqual(seen.options, {
        misspelt: "INVALID_OPTION", zero: "INVALID_OPTION", odd: "INVALID_PART_SIZE", description: "INVALID_DESCRIPTION",
        signal: "INVALID_OPTION", many: "TOO_MANY_PARTS",
      });
      assert.deepEqual(await openUploads(), []);
    });

    test(`${engine}: a failure that may pass keeps what was written, and resume goes on`, { timeout: 60_000 }, async () => {
      const seen = await browser.evaluate(async (size) => {
        let down = true;
        const gate = (intents) => {
          if (down && intents.some(({ op }) => op === "UploadMultipartPart")) throw new Error("down");
        };
        const options = { partSize: 1 << 20, memoryBudget: 2 << 20, retry: { maxAttempts: 1 } };
        const stream = (await uploaderOf(options, gate)).stream();
        const failed = new Promise((resolve) => stream.upload.on("state", (state) => state === "failed" && resolve()));
        let over = false;
        const piping = sourceOf(size).pipeTo(stream).then(() => (over = true));
        await failed;
        const { code, retryable } = stream.upload.error;
        const before = [code, retryable, over];
        down = false;
        stream.upload.resume();
        stream.upload.pause();
        before.push(stream.upload.state);
        stream.upload.resume();
        await piping;
        return { before, archive: await stream.upload.done() };
      }, [PIPED]);
      assert.deepEqual(seen.before.slice(1), [true, false, "paused"], JSON.stringify(seen.before));
      await assertStored(seen.archive, PIPED);
      assert.deepEqual(await openUploads(), []);
    });

    test(`${engine}: streams wait for nobody, and files do not wait for them`, { timeout: 60_000 }, async () => {
      const archives = await browser.evaluate(async (size) => {
        const uploader = await uploaderOf({ partSize: 1 << 20, concurrency: 1 });
        const streams = [uploader.stream(), uploader.stream(), uploader.stream()];
        const file = await uploader.add(new Blob([bytesAt(0, 1)])).done();
        const writers = streams.map((stream) => stream.getWriter());
        for (let at = 0; at < size; at += 1 << 20) {
          for (const writer of writers) await writer.write(bytesAt(at, Math.min(1 << 20, size - at)));
        }
        await Promise.all(writers.map((writer) => writer.close()));
        return [file, ...(await Promise.all(streams.map((stream) => stream.upload.done())))];
      }, [PIPED]);
      await assertStored(archives[0], 1);
      for (const archive of archives.slice(1)) await assertStored(archive, PIPED);
    });

    test(`${engine}: a recording is stored while it is made, as README says`, { timeout: 60_000 }, async () => {
      const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
      const [, recipe] = /```js\n(const media = [^]*?)```/.exec(readme);
      const seen = await browser.evaluate(async (recipe) => {
        const uploader = await uploaderOf();
        // A drawing instead of a camera.
        const canvas = document.createElement("canvas");
        const pencil = canvas.getContext("2d");
        const drawing = setInterval(() => {
          pencil.fillStyle = `hsl(${Math.random() * 360}deg 90% 50%)`;
          pencil.fillRect(0, 0, canvas.width, canvas.height);
        }, 20);
        navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25);
        const recorded = [];
        const stopped = new Promise((resolve) => {
          globalThis.onChunk = (chunk) => recorded.push(chunk) === 3 && resolve();
        });
        const Real = MediaRecorder;
        globalThis.MediaRecorder = class extends Real {
          constructor(...parameters) {
            super(...parameters);
            this.addEventListener("dataavailable", ({ data }) => data.size > 0 && onChunk(data));
          }
        };
        const AsyncFunction = (async () => {}).constructor;
        let archive;
        await new AsyncFunction("uploader", "stopped", "console", recipe)(
          uploader, stopped, { log: (stored) => (archive = stored) });
        clearInterval(drawing);
        const digest = await crypto.subtle.digest("SHA-256", await new Blob(recorded).arrayBuffer());
        const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        return { archive, chunks: recorded.length, sha256 };
      }, [recipe]);
      assert.ok(seen.chunks >= 3);
      const stored = await storedArchive(gateway.data, seen.archive.archiveId, VAULT);
      assert.equal(stored.sha256, seen.sha256);
    });
  });
}
