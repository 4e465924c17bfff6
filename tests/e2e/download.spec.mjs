// Archives on their way back: an archive of 1 GiB whole and in ranges, byte for byte what was stored, and everything
// that may go wrong between the store and the file. What arrived is sent back to this process and hashed by Node.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { bearer, retrieve } from "./jobs.mjs";
import { residentMib } from "./memory.mjs";
import { librarySite, startSite } from "./site.mjs";

const LARGE = 1024 * MIB - 3;
const SMALL = 61 * MIB + 5;
const RANGE = 8 * MIB; // Where nothing else is asked for.

let files;
let packaged;
let gateway;
let site;
let large;
let small;
/** Requests for bytes of an output, as they come: `{jobId, start}`. */
let requests = [];
let meddle = () => undefined;

before(async () => {
  files = await scratch();
  packaged = await librarySite();
  gateway = await startGateway();
  site = await startSite(packaged.folder, {
    gateway: gateway.url,
    takes: { "/read-back": digest },
    meddle(incoming) {
      const jobId = /\/jobs\/([^/]+)\/output$/.exec(incoming.url)?.[1];
      if (!jobId) return undefined;
      const start = Number(/^bytes=(\d+)-/.exec(incoming.headers.range)?.[1]);
      requests.push({ jobId, start });
      return meddle({ jobId, start, nth: requests.length });
    },
  });
  const browser = await opened("chromium");
  try {
    large = await stored(browser, await makeFile(files.folder, "large.bin", LARGE));
    small = await stored(browser, await makeFile(files.folder, "small.bin", SMALL));
  } finally {
    await browser.close();
  }
}, { timeout: 240_000 });

after(async () => {
  await site?.stop();
  await gateway?.stop();
  await packaged?.remove();
  await files?.remove();
});

async function opened(engine) {
  const browser = await launch(engine);
  await show(browser);
  return browser;
}

async function show(browser) {
  await browser.open(`${site.url}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready && document.documentElement.dataset.downloads);
}

/** Uploads a file by the library, and retrieves all of it. */
async function stored(browser, path) {
  await browser.setFiles("#files", [path]);
  const archive = await browser.evaluate(async (vault, authorization) => {
    const options = { endpoint: "/v1", target: { vault }, getHeaders: () => ({ authorization }) };
    const uploader = await library.createUploader(options);
    const archive = await uploader.add(document.querySelector("#files").files[0]).done();
    await uploader.close();
    return archive;
  }, [VAULT, bearer(gateway)]);
  const facts = await fileFacts(path);
  assert.equal(archive.treeHash, facts.treeHash);
  return { path, ...facts, archiveId: archive.archiveId, job: await retrieve(gateway, archive.archiveId) };
}

/** Size and SHA-256 of what a stream brings. */
async function digest(stream) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { size, sha256: hash.digest("hex") };
}

const facts = ({ size, sha256 }) => ({ size, sha256 });

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let browser;

    before(async () => { browser = await opened(engine); });
    after(() => browser?.close());

    const through = (more) => ({ vault: VAULT, bearer: bearer(gateway), more });
    const check = (name, run) =>
      test(`${engine}: ${name}`, { timeout: 180_000 }, async () => {
        requests = [];
        meddle = () => undefined;
        await run();
      });

    check("1 GiB whole, in place into a private file", async () => {
      const measured = engine === "chromium" ? await peakMemory(browser) : undefined;
      const began = Date.now();
      const result = await browser.evaluate(async (through, job) => {
        const handle = await file("large.bin");
        const longer = await handle.createWritable();
        await longer.write({ type: "write", position: job.ArchiveSizeInBytes + 5, data: "left over" });
        await longer.close();
        const running = (await jobOf(through, job)).download(handle);
        const states = [running.state];
        running.on("state", (state) => states.push(state));
        let last = 0;
        let wentBack = false;
        running.on("progress", ({ bytesReceived, bytesDelivered, bytesTotal }) => {
          wentBack ||= bytesReceived < last || bytesDelivered > bytesReceived || bytesReceived > bytesTotal;
          last = bytesReceived;
        });
        const outcome = await running.done();
        return { outcome, states, wentBack, progress: running.progress };
      }, [through(), large.job]);
      const seconds = (Date.now() - began) / 1000;
      console.log(`${engine}: 1 GiB in ${seconds.toFixed(1)} s, ${(LARGE / MIB / seconds).toFixed(0)} MiB/s`);
      if (measured) console.log(`${engine}: ${(await measured()).toFixed(0)} MiB more at the peak than before`);
      assert.deepEqual(result.outcome, { size: LARGE, treeHash: large.treeHash, verified: "whole" });
      assert.deepEqual(result.states, ["downloading", "done"]);
      assert.equal(result.wentBack, false);
      assert.equal(result.progress.bytesDelivered, LARGE);
      assert.equal(requests.length, 128, "each range once");
      const back = await browser.evaluate(async () => {
        const back = await readBack(await (await file("large.bin")).getFile());
        await (await navigator.storage.getDirectory()).removeEntry("large.bin");
        return back;
      });
      assert.deepEqual(back, facts(large));
    });

    for (const { name, from, to, target, verified, why } of [
      { name: "a tree-hash-aligned range into a file's stream", from: 128, to: 192, target: "fileStream", verified: "whole" },
      { name: "a range that is aligned to MiB only into a Blob", from: 1, to: 34, target: "blob", verified: "none", why: /not tree-hash-aligned/ },
      { name: "a range to the end into a plain stream", from: 960, target: "stream", verified: "whole" },
    ]) {
      check(name, async () => {
        const job = await retrieve(gateway, large.archiveId, { from, to }, LARGE);
        const expected = await digest(createReadStream(large.path, { start: from * MIB, end: (to ? to * MIB : LARGE) - 1 }));
        const { outcome, back } = await browser.evaluate(async (through, job, target) => {
          if (target === "blob") {
            const { blob, ...outcome } = await (await jobOf(through, job)).download().done();
            return { outcome, back: await readBack(blob) };
          }
          if (target === "stream") {
            const { stream, seen } = collector();
            const outcome = await (await jobOf(through, job)).download(stream).done();
            return { outcome: { ...outcome, closed: seen.closed }, back: await readBack(new Blob(seen.chunks)) };
          }
          const handle = await file("range.bin");
          const outcome = await (await jobOf(through, job)).download(await handle.createWritable()).done();
          return { outcome, back: await readBack(await handle.getFile()) };
        }, [through(), job, target]);
        assert.deepEqual(back, expected);
        assert.deepEqual([outcome.size, outcome.verified], [expected.size, verified]);
        assert.match(outcome.why ?? "", why ?? /^$/);
        assert.equal(outcome.closed, target === "stream" ? true : undefined);
      });
    }

    check("a range that was changed on the way is found out and fetched again", async () => {
      const changed = new Set();
      meddle = ({ start }) => {
        if (start !== 2 * RANGE || changed.has(start)) return undefined;
        changed.add(start);
        return { flip: 4_321_000 };
      };
      const { outcome, back } = await browser.evaluate(async (through, job) => {
        const { blob, ...outcome } = await (await jobOf(through, job)).download().done();
        return { outcome, back: await readBack(blob) };
      }, [through(), small.job]);
      assert.deepEqual(back, facts(small));
      assert.equal(outcome.verified, "whole");
      assert.equal(requests.filter(({ start }) => start === 2 * RANGE).length, 2);
      assert.equal(requests.length, 9);
    });

    check("nothing of a range that is changed each time is written", async () => {
      meddle = ({ start }) => (start === 0 ? { flip: 99 } : undefined);
      const result = await browser.evaluate(async (through, job) => {
        const { stream, seen } = collector();
        const running = (await jobOf(through, job)).download(stream);
        const failure = await failureOf(() => running.done());
        const { bytes, closed, reason } = seen;
        await running.abort();
        return { failure, bytes, closed, reason, after: seen.reason };
      }, [through(), small.job]);
      assert.deepEqual([result.failure.code, result.failure.retryable], ["CHECKSUM_MISMATCH_RANGE", true]);
      assert.deepEqual([result.bytes, result.closed, result.reason, result.after], [0, false, undefined, "AbortError"]);
    });

    check("an output that is not what the caller expects is never begun, or never done", async () => {
      const job = await retrieve(gateway, small.archiveId, { from: 1, to: 20 }, SMALL);
      const result = await browser.evaluate(async (through, whole, part) => {
        const treeHash = "ab".repeat(32);
        const { stream, seen } = collector();
        const begun = await failureOf(async () => (await jobOf(through, whole)).download(collector().stream, { treeHash }));
        const ended = await failureOf(async () => (await jobOf(through, part)).download(stream, { treeHash }).done());
        return { begun, ended, bytes: seen.bytes, closed: seen.closed, reason: seen.reason };
      }, [through(), small.job, job]);
      assert.equal(result.begun.code, "CHECKSUM_MISMATCH_WHOLE");
      assert.deepEqual([result.ended.code, result.ended.retryable], ["CHECKSUM_MISMATCH_WHOLE", false]);
      assert.deepEqual([result.bytes, result.closed, result.reason], [19 * MIB, false, "CHECKSUM_MISMATCH_WHOLE"]);
    });

    check("a slow consumer stops the requests", async () => {
      await browser.evaluate(async (through, job) => {
        globalThis.gates = [];
        const { stream, seen } = collector(() => new Promise((resolve) => gates.push(resolve)));
        globalThis.slow = { running: (await jobOf(through, job)).download(stream, { rangeSize: 1 << 20 }), seen };
      }, [through({ memoryBudget: 6 * MIB, concurrency: 2 }), small.job]);
      const held = 4; // Twice as many as are fetched at once.
      await browser.waitFor((bytes) => slow.running.progress.bytesReceived === bytes, [held * MIB]);
      assert.equal(requests.length, held, "every place is taken, so that nothing can be under way");
      await browser.evaluate(() => gates.shift()());
      await browser.waitFor((bytes) => slow.running.progress.bytesReceived === bytes, [(held + 1) * MIB]);
      assert.equal(requests.length, held + 1);
      const back = await browser.evaluate(async () => {
        const opening = setInterval(() => gates.splice(0).forEach((open) => open()), 1);
        const { verified } = await slow.running.done();
        clearInterval(opening);
        return { verified, ...(await readBack(new Blob(slow.seen.chunks))) };
      });
      assert.deepEqual(back, { verified: "whole", ...facts(small) });
    });

    for (const kind of ["file", "pickedFile"]) {
      check(`paused, a ${kind === "file" ? "private" : "picked"} file is written out and free; resumed, nothing comes twice`, async () => {
        meddle = ({ nth }) => (nth > 4 ? { hang: true } : undefined);
        const paused = await browser.evaluate(async (through, job, kind) => {
          await (await navigator.storage.getDirectory()).removeEntry("paused.bin").catch(() => {});
          globalThis.running = (await jobOf(through, job)).download(await globalThis[kind]("paused.bin"));
          await until(running, ({ progress }) => progress.bytesDelivered === 4 * 8 * 1024 * 1024);
          running.pause();
          await until(running, ({ state }) => state === "paused");
          await isFree("paused.bin");
          return { size: (await (await file("paused.bin")).getFile()).size, checkpoint: running.checkpoint };
        }, [through(), small.job, kind]);
        assert.equal(paused.size, 4 * RANGE);
        assert.deepEqual(paused.checkpoint.delivered.map(([start, end]) => [start, end]), [[0, 4 * RANGE]]);
        meddle = () => undefined;
        requests = [];
        const resumed = await browser.evaluate(async () => {
          running.resume();
          const { verified } = await running.done();
          return { verified, ...(await readBack(await (await file("paused.bin")).getFile())) };
        });
        assert.deepEqual(resumed, { verified: "whole", ...facts(small) });
        assert.equal(requests.length, 4);
      });
    }

    /** Four of eight ranges arrive in the file, the checkpoint is stored, and the rest never comes. */
    async function leaveHalf() {
      meddle = ({ nth }) => (nth > 4 ? { hang: true } : undefined);
      requests = [];
      await browser.evaluate(async (through, job) => {
        await (await navigator.storage.getDirectory()).removeEntry("half.bin").catch(() => {});
        const running = (await jobOf(through, job)).download(await file("half.bin"));
        await until(running, ({ progress }) => progress.bytesDelivered === 4 * 8 * 1024 * 1024);
        localStorage.checkpoint = JSON.stringify(running.checkpoint);
      }, [through(), small.job]);
      meddle = () => undefined;
      requests = [];
    }

    const goOn = () =>
      browser.evaluate(async (through, job) => {
        const from = JSON.parse(localStorage.checkpoint);
        const running = (await jobOf(through, job)).download(await file("half.bin"), { from });
        const states = [running.state];
        running.on("state", (state) => states.push(state));
        const claimed = running.checkpoint.delivered.length;
        const { verified } = await running.done();
        return { states, claimed, verified, ...(await readBack(await (await file("half.bin")).getFile())) };
      }, [through(), small.job]);

    const continued = { states: ["checking", "downloading", "done"], claimed: 1, verified: "whole" };

    check("after a reload the file is checked, and only what is missing is fetched", async () => {
      await leaveHalf();
      await show(browser);
      assert.deepEqual(await goOn(), { ...continued, ...facts(small) });
      assert.deepEqual(requests.map(({ start }) => start / RANGE).sort(), [4, 5, 6, 7]);
    });

    check("a file that was tampered with meanwhile is fetched again", async () => {
      await leaveHalf();
      await show(browser);
      await browser.evaluate(async () => {
        const writable = await (await file("half.bin")).createWritable({ keepExistingData: true });
        await writable.write({ type: "write", position: 9_999_999, data: new Uint8Array([255]) });
        await writable.close();
      });
      assert.deepEqual(await goOn(), { ...continued, ...facts(small) });
      assert.equal(requests.length, 8);
    });

    if (engine === "chromium") {
      check("after the tab was killed the file has what was delivered", async () => {
        await leaveHalf();
        await browser.killTab();
        await show(browser);
        assert.deepEqual(await goOn(), { ...continued, ...facts(small) });
        assert.deepEqual(requests.map(({ start }) => start / RANGE).sort(), [4, 5, 6, 7]);
      });
    }

    check("a job that expires on the way is followed by another", async () => {
      const second = await retrieve(gateway, small.archiveId);
      const other = await retrieve(gateway, small.archiveId, { from: 0, to: 32 }, SMALL);
      const gone = { code: "ResourceNotFoundException", message: "The job ID was not found: x", type: "Client" };
      meddle = ({ jobId, nth }) => (jobId === small.job.JobId && nth > 3 ? { status: 404, body: gone } : undefined);
      const result = await browser.evaluate(async (through, job, second, other) => {
        const [nextJob, otherJob] = [await jobOf(through, second), await jobOf(through, other)];
        const running = (await jobOf(through, job)).download(await file("expired.bin"));
        const failure = await failureOf(() => running.done());
        const delivered = running.progress.bytesDelivered;
        const refused = await failureOf(() => running.continueWith(otherJob));
        const noJob = await failureOf(() => running.continueWith({ jobId: nextJob.jobId }));
        running.continueWith(nextJob);
        const { verified } = await running.done();
        const again = await failureOf(() => running.continueWith(nextJob));
        return { failure, delivered, refused, noJob, verified, again, ...(await readBack(await (await file("expired.bin")).getFile())) };
      }, [through({ concurrency: 1 }), small.job, second, other]);
      assert.deepEqual([result.failure, result.refused, result.noJob, result.again].map(({ code }) => code),
        ["JOB_EXPIRED", "INVALID_OPTION", "INVALID_OPTION", "INVALID_OPTION"]);
      assert.deepEqual([result.delivered, result.verified], [3 * RANGE, "whole"]);
      assert.deepEqual(facts(result), facts(small));
      assert.equal(requests.filter(({ jobId }) => jobId === second.JobId).length, 5);
    });

    check("a target that fails ends the download, and says why", async () => {
      const result = await browser.evaluate(async (through, job) => {
        const breaks = collector(({ bytes }) => { if (bytes > 0) throw new RangeError("full"); });
        const running = (await jobOf(through, job)).download(breaks.stream);
        const error = await running.done().catch((error) => error);
        const handle = await file("locked.bin");
        const blocker = await handle.createWritable();
        const locked = (await jobOf(through, job)).download(handle, {});
        const other = await locked.done().catch((error) => error);
        await blocker.abort();
        locked.resume();
        const { verified } = await locked.done();
        return {
          code: error.code, retryable: error.retryable, cause: `${error.cause}`, state: running.state,
          other: [other.code, other.retryable, other.cause?.name], verified,
        };
      }, [through(), small.job]);
      assert.deepEqual([result.code, result.retryable, result.state], ["SINK_FAILED", false, "failed"]);
      assert.equal(result.cause, "RangeError: full");
      assert.deepEqual(result.other, ["SINK_FAILED", true, "NoModificationAllowedError"]);
      assert.equal(result.verified, "whole", "retried once the file is free");
    });

    check("without a network it waits, and goes on by itself", async () => {
      const states = await browser.evaluate(async (through, job) => {
        const states = [];
        const { stream, seen } = collector(({ bytes }) => {
          if (bytes === 0) {
            dispatchEvent(new Event("offline"));
            setTimeout(() => dispatchEvent(new Event("online")));
          }
        });
        const running = (await jobOf(through, job)).download(stream);
        running.on("state", (state) => states.push(state));
        await running.done();
        return [...states, seen.bytes];
      }, [through(), small.job]);
      assert.deepEqual(states, ["paused", "downloading", "done", SMALL]);
    });

    check("abort() and a signal end it, and let go of the target", async () => {
      const result = await browser.evaluate(async (through, job) => {
        const stuck = collector(() => new Promise(() => {}));
        const first = (await jobOf(through, job)).download(stuck.stream);
        const rejected = first.done().catch((error) => error.name);
        await until(first, ({ progress }) => progress.bytesReceived > 0);
        await first.abort();
        const controller = new AbortController();
        const second = (await jobOf(through, job)).download(await file("aborted.bin"), { signal: controller.signal });
        const also = second.done().catch((error) => error.name);
        await until(second, ({ progress }) => progress.bytesDelivered > 0);
        controller.abort();
        const names = [await rejected, first.state, await also, second.state];
        await isFree("aborted.bin");
        const third = (await jobOf(through, job)).download(undefined, { signal: AbortSignal.abort() });
        return [...names, await third.done().catch((error) => error.name)];
      }, [through(), small.job]);
      assert.deepEqual(result, ["AbortError", "aborted", "AbortError", "aborted", "AbortError"]);
    });

    check("what is no target, and options that mean nothing, are refused at once", async () => {
      const result = await browser.evaluate(async (through, smallJob, largeJob) => {
        const [small, large] = [await jobOf(through, smallJob), await jobOf(through, largeJob)];
        const code = async (job, ...parameters) => {
          const { code, message } = await failureOf(() => job.download(...parameters));
          return `${code}: ${message}`;
        };
        const locked = new WritableStream();
        locked.getWriter();
        const from = { version: 1, size: small.archiveSize, delivered: [] };
        const frame = document.body.appendChild(document.createElement("iframe"));
        const foreign = new frame.contentWindow.WritableStream();
        const { verified } = await small.download(foreign).done();
        return {
          verified,
          refused: [
            await code(small, {}), await code(small, "name.bin"), await code(small, null), await code(small, locked),
            await code(large), await code(small, new WritableStream(), { from }), await code(small, undefined, { from }),
            await code(small, await file("x.bin"), { from: { ...from, size: 1 } }),
            await code(small, undefined, { rangesize: 1 }), await code(small, undefined, { rangeSize: 3 }),
            await code(await (await vaultOf(through)).retrieve(small.archiveId)),
          ],
        };
      }, [through(), small.job, large.job]);
      assert.equal(result.verified, "whole", "a stream of another frame is one");
      const none = /^INVALID_OPTION: A download goes into a FileSystemFileHandle/;
      const expected = [
        none, none, none, /^INVALID_OPTION: The stream is locked/, /^INVALID_OPTION: .* 512 MiB/,
        /^INVALID_OPTION: from goes with/, /^INVALID_OPTION: from goes with/, /^INVALID_OPTION: from is of an output of 1 bytes/,
        /^INVALID_OPTION: there is no option "rangesize"/, /^INVALID_OPTION: rangeSize must be/, /^JOB_NOT_READY/,
      ];
      for (const [nth, words] of expected.entries()) assert.match(result.refused[nth], words);
    });
  });
}

/** Watches the browser's memory; the function returned ends that and gives the most beyond the beginning, in MiB. */
async function peakMemory(browser) {
  const idle = await residentMib(browser.pid);
  let peak = idle;
  let over = false;
  const watching = (async () => {
    while (!over) {
      peak = Math.max(peak, await residentMib(browser.pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return async () => {
    over = true;
    await watching;
    return peak - idle;
  };
}
