// An inventory of 25,000 archives, read archive by archive in two browsers: as it is in the store's own database, in JSON
// and in CSV, whole and in several jobs; damaged on the way; given up at every stage.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { launch } from "./browsers.mjs";
import { MIB } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { bearer, call } from "./jobs.mjs";
import { residentMib } from "./memory.mjs";
import { librarySite, startSite } from "./site.mjs";

const COUNT = 25_000;
const ARCHIVES_EACH = 10_000;

let packaged;
let gateway;
let site;
/** What the database has: `[archiveId, description, ms, size, treeHash]` in the order of an inventory. */
let stored;
/** Requests of pages, as they come: `{method, path, range}`. */
let requests = [];
let meddle = () => undefined;

before(async () => {
  packaged = await librarySite();
  const empty = await startGateway();
  await empty.stop({ keep: true });
  const fill = [join(import.meta.dirname, "many_archives.py"), empty.data, VAULT, COUNT];
  const { stdout } = await promisify(execFile)("python3", fill, { maxBuffer: 64 * MIB });
  stored = JSON.parse(stdout);
  assert.equal(stored.length, COUNT);
  gateway = await startGateway({ data: empty.data });
  site = await startSite(packaged.folder, {
    gateway: gateway.url,
    takes: { "/found": async (stream) => { found = JSON.parse(await text(stream)); } },
    meddle(incoming) {
      const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range) ?? [];
      const range = start && { start: Number(start), end: Number(last) + 1 };
      const request = { method: incoming.method, path: incoming.url, range };
      requests.push(request);
      return meddle(request);
    },
  });
}, { timeout: 60_000 });

after(async () => {
  await site?.stop();
  await gateway?.stop();
  await packaged?.remove();
});

/** What a page sent back, which is too much for the way to the browser. */
let found;

async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Of one job, or of all: what an earlier test gave up may still come in. */
const outputs = (job) => requests.filter(({ path }) => path.endsWith(job ? `${job.JobId}/output` : "/output"));
const started = () => requests.filter(({ method, path }) => method === "POST" && path.endsWith("/jobs"));
const described = () => requests.filter(({ method, path }) => method === "GET" && /\/jobs\/[^/]+$/.test(path));

/** Where they differ first, because the whole is too long to be shown. */
function assertStored(archives, expected) {
  const different = expected.findIndex((archive, i) => JSON.stringify(archive) !== JSON.stringify(archives[i]));
  assert.deepEqual(archives[different], expected[different], `archive ${different}`);
  assert.equal(archives.length, expected.length);
}

/** An inventory that is done, as any client makes it. */
async function inventory(format) {
  const answer = await call(gateway, { op: "InitiateJob", vault: VAULT, job: { type: "inventory-retrieval", format } });
  const jobId = answer.headers.get("x-amz-job-id");
  for (;;) {
    const job = await (await call(gateway, { op: "DescribeJob", vault: VAULT, jobId })).json();
    if (job.Completed) return job;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let browser;

    before(async () => {
      browser = await launch(engine);
      await browser.open(`${site.url}/`);
      await browser.waitFor(() => document.documentElement.dataset.ready && document.documentElement.dataset.downloads);
      await browser.evaluate(() => {
        globalThis.row = ({ archiveId, description, createdAt, size, treeHash }) =>
          [archiveId, description, createdAt.getTime(), size, treeHash];
        globalThis.tell = (found) => fetch("/found", { method: "PUT", body: JSON.stringify(found) });
        /** Goes to the end or the first error: how many there were, and how it ended; all of them are told. */
        globalThis.readAll = async (archives, onArchive = () => {}) => {
          const all = [];
          let error;
          try {
            for await (const archive of archives) onArchive(all.push(row(archive)), archive);
          } catch (thrown) {
            error = { name: thrown.name, code: thrown.code, message: thrown.message };
          }
          await tell(all);
          const after = await archives.next();
          return { count: all.length, error, after: after.done && after.value === undefined };
        };
        /** The longest time in ms in which nothing else could run, until it is called. */
        globalThis.watchTasks = () => {
          let [longest, last] = [0, performance.now()];
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => {
            const now = performance.now();
            [longest, last] = [Math.max(longest, now - last), now];
            port2.postMessage(null);
          };
          port2.postMessage(null);
          return () => (port1.close(), longest);
        };
      });
    });

    after(() => browser?.close());

    const through = (more) => ({ vault: VAULT, bearer: bearer(gateway), more });
    const readJob = (job, more) =>
      browser.evaluate(async (through, job) => readAll((await jobOf(through, job)).archives()), [through(more), job]);
    const check = (name, format, run) =>
      test([engine, format, name].filter(Boolean).join(": "), { timeout: 60_000 }, async () => {
        requests = [];
        found = undefined;
        meddle = () => undefined;
        await run();
      });

    for (const format of ["JSON", "CSV"]) {
      check("25,000 archives are those in the database, each once and in order, over three jobs", format, async () => {
        const idle = await residentMib(browser.pid);
        let peak = idle;
        const watching = setInterval(async () => { peak = Math.max(peak, await residentMib(browser.pid)); }, 100);
        const began = Date.now();
        const result = await browser.evaluate(async (through, format, limit, total) => {
          const job = await (await vaultOf(through)).inventory({ format, limit, description: "in parts" });
          const archives = job.archives();
          const is = { iterable: archives[Symbol.asyncIterator]() === archives };
          const keys = new Set();
          await job.done();
          const stopWatch = watchTasks();
          let longest;
          const read = await readAll(archives, (count, archive) => {
            keys.add(`${Object.keys(archive)}`);
            if (count === total) longest = stopWatch();
          });
          return { ...read, ...is, longest, keys: [...keys], completed: job.completed };
        }, [through(), format, ARCHIVES_EACH, COUNT]);
        clearInterval(watching);
        console.log(
          `${engine}: ${COUNT} archives in ${format} over three jobs in ${((Date.now() - began) / 1000).toFixed(1)} s, ` +
            `longest task ${result.longest.toFixed(0)} ms, ${(peak - idle).toFixed(0)} MiB more at the peak`,
        );
        assert.equal(result.error, undefined);
        assertStored(found, stored);
        assert.deepEqual(result.keys, ["archiveId,description,createdAt,size,treeHash"]);
        assert.ok(result.iterable && result.after && result.completed);
        assert.equal(started().length, 3);
        const jobs = new Set(outputs().map(({ path }) => path));
        assert.equal(jobs.size, 3);
        assert.equal(new Set(outputs().map(({ path, range }) => `${path} ${range.start}`)).size, outputs().length, "no range twice");
        for (const path of jobs) {
          const jobId = path.split("/").at(-2);
          const job = await (await call(gateway, { op: "DescribeJob", vault: VAULT, jobId })).json();
          assert.equal(job.JobDescription, "in parts");
          assert.equal(job.InventoryRetrievalParameters.Format, format);
          assert.equal(String(job.InventoryRetrievalParameters.Limit), String(ARCHIVES_EACH));
        }
      });

      check("damage is an error that says where, after everything before it and nothing more", format, async () => {
        const job = await inventory(format);
        const output = Buffer.from(await (await call(gateway, { op: "GetJobOutput", vault: VAULT, jobId: job.JobId })).arrayBuffer());
        assert.ok(output.length === job.InventorySizeInBytes && output.length > 6 * MIB);
        // In JSON a key is no longer quoted; in CSV the end of a line is none.
        const damaged = output.indexOf(format === "JSON" ? '"ArchiveDescription"' : "\n", 4.5 * MIB);
        const before = output.subarray(0, damaged).toString();
        const whole = before.split(format === "JSON" ? '"SHA256TreeHash"' : "\n").length - 1 - (format === "JSON" ? 0 : 1);
        meddle = ({ range }) => (range && range.start <= damaged && damaged < range.end ? { flip: damaged - range.start } : undefined);
        const result = await readJob(job);
        assert.equal(result.error?.code, "INVENTORY_UNREADABLE", JSON.stringify(result));
        assert.match(result.error.message, format === "JSON" ? /^(byte|archive) \d+ of the inventory/ : /^line \d+ of the inventory/);
        assert.ok(result.after);
        assertStored(found, stored.slice(0, whole));
      });
    }

    for (const { format, len, message } of [
      { format: "JSON", len: 500_000, message: "the inventory breaks off" },
      { format: "CSV", len: 500_000, message: /^line \d+ of the inventory has not the five columns/ },
    ]) {
      check("an inventory that breaks off where its job says that it ends is an error", format, async () => {
        const job = await inventory(format);
        const { JobId: jobId } = job;
        const range = `0-${len - 1}`;
        const output = await call(gateway, { op: "GetJobOutput", vault: VAULT, jobId, range });
        const cut = Buffer.from(await output.arrayBuffer());
        const headers = { "content-range": `bytes ${range}/${len}`, "content-type": output.headers.get("content-type") };
        meddle = ({ path }) => {
          if (path.endsWith(jobId)) return { status: 200, body: { ...job, InventorySizeInBytes: len } };
          return path.endsWith("/output") ? { status: 206, headers, body: cut } : undefined;
        };
        const result = await readJob(job);
        assert.equal(result.error?.code, "INVENTORY_UNREADABLE", JSON.stringify(result));
        assert.match(result.error.message, new RegExp(message));
        assert.ok(result.after && result.count > 1000);
        assertStored(found, stored.slice(0, result.count));
      });
    }

    check("an output that is not as long as its job says, or cannot be had, is an error", "", async () => {
      const job = await inventory("CSV");
      const retry = { maxAttempts: 1 };
      const shorter = { status: 200, body: { ...job, InventorySizeInBytes: MIB + 5 } };
      meddle = ({ path }) => (path.endsWith(job.JobId) ? shorter : undefined);
      const short = await readJob(job, { retry });
      assert.equal(short.error?.code, "NOT_OUR_SERVER", JSON.stringify(short));
      assert.ok(short.after);
      const body = { code: "ServiceUnavailableException", message: "later", type: "Server" };
      meddle = ({ range }) => (range?.start >= 2 * MIB ? { status: 503, body } : undefined);
      const refused = await readJob(job, { retry });
      assert.equal(refused.error?.code, "SERVER", JSON.stringify(refused));
      assert.ok(refused.after);
      assertStored(found, stored.slice(0, refused.count));
      const gone = { code: "ResourceNotFoundException", message: "no such job", type: "Client" };
      meddle = ({ path }) => (path.endsWith("/output") ? { status: 404, body: gone } : undefined);
      assert.equal((await readJob(job)).error?.code, "JOB_EXPIRED");
    });

    check("nothing is fetched beyond the ranges that are held while the page does not ask", "", async () => {
      const job = await inventory("JSON");
      const ahead = await browser.evaluate(async (through, job) => {
        globalThis.walk = (await jobOf(through, job)).archives();
        const first = row((await walk.next()).value);
        // Time for whatever would come.
        for (let i = 0; i < 20; i++) await (await jobOf(through, job)).refresh();
        return first;
      }, [through({ concurrency: 1 }), job]);
      assert.deepEqual(ahead, stored[0]);
      assert.equal(outputs(job).length, 2, "one that is read and one that is held");
      const rest = await browser.evaluate(() => readAll(walk));
      assert.equal(rest.error, undefined);
      assertStored(found, stored.slice(1));
      assert.equal(outputs(job).length, Math.ceil(job.InventorySizeInBytes / MIB));
    });

    check("whoever asks many times at once gets what follows, in order", "", async () => {
      const job = await inventory("CSV");
      const [several, rest] = await browser.evaluate(async (through, job) => {
        const archives = (await jobOf(through, job)).archives();
        const several = await Promise.all(Array.from({ length: 3000 }, () => archives.next()));
        await tell(several.map(({ value }) => row(value)));
        return [several.length, row((await archives.next()).value)];
      }, [through(), job]);
      assertStored(found, stored.slice(0, several));
      assert.deepEqual(rest, stored[several]);
    });

    check("a page that has enough ends it, also before the job is done", "", async () => {
      const done = await inventory("JSON");
      const result = await browser.evaluate(async (through, done) => {
        const vault = await vaultOf(through);
        const archives = (await jobOf(through, done)).archives();
        let count = 0;
        for await (const archive of archives) if (archive && ++count === 100) break;
        const after = await archives.next();
        const job = await vault.inventory();
        const waiting = job.archives();
        const pending = [waiting.next(), waiting.next()];
        const ended = await waiting.return("enough");
        return { count, after, ended, pending: await Promise.all(pending), completed: job.completed };
      }, [through({ concurrency: 1 }), done]);
      assert.equal(result.count, 100);
      const over = { done: true };
      assert.deepEqual([result.after, ...result.pending].map(({ done }) => ({ done })), [over, over, over]);
      assert.deepEqual(result.ended, { value: "enough", done: true });
      assert.equal(result.completed, false);
      assert.ok(outputs(done).length <= 2, `${outputs(done).length} ranges`);
    });

    check("a signal stops it in the middle of an output and between two jobs", "", async () => {
      const result = await browser.evaluate(async (through, limit) => {
        const vault = await vaultOf(through);
        const stopped = async (job, at) => {
          const controller = new AbortController();
          const read = await readAll(job.archives({ signal: controller.signal }), (count) => {
            if (count === at) controller.abort();
          });
          return read;
        };
        const job = await (await vault.inventory({ limit })).done();
        return {
          middle: await stopped(job, limit / 2),
          between: await stopped(job, limit),
          before: await failureOf(() => job.archives({ signal: AbortSignal.abort() }).next()),
        };
      }, [through(), ARCHIVES_EACH]);
      for (const [name, count] of [["middle", ARCHIVES_EACH / 2], ["between", ARCHIVES_EACH]]) {
        assert.equal(result[name].error?.name, "AbortError", name);
        assert.equal(result[name].count, count, name);
        assert.ok(result[name].after, name);
      }
      assert.equal(result.before.name, "AbortError");
      assert.equal(started().length, 1, "and no job for what follows");
      assertStored(found, stored.slice(0, ARCHIVES_EACH));
    });

    check("what is no inventory has no archives, and no option is overlooked", "", async () => {
      const result = await browser.evaluate(async (through, archiveId) => {
        const vault = await vaultOf(through);
        const [retrieval, inventory] = [await vault.retrieve(archiveId), await vault.inventory()];
        return {
          retrieval: await failureOf(() => retrieval.archives()),
          option: await failureOf(() => inventory.archives({ limit: 5 })),
          signal: await failureOf(() => inventory.archives({ signal: "stop" })),
        };
      }, [through(), stored[0][0]]);
      for (const [name, { isUploadError, code }] of Object.entries(result)) {
        assert.deepEqual([isUploadError, code], [true, "INVALID_OPTION"], name);
      }
      assert.match(result.option.message, /"limit"/);
      assert.equal(described().length, 2, "those of the jobs that were started");
    });
  });
}
