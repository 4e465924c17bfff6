// Jobs through the package, in two browsers against the real gateway and store: what is known of them, and how their end is
// waited for.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openAccount } from "./account.mjs";
import { librarySite } from "./site.mjs";

const LIMIT = { timeout: 120_000 };
const TOPIC = "arn:aws:sns:us-east-1:012345678901:done";

let packaged;

before(async () => (packaged = await librarySite()));
after(() => packaged?.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let account;
    let browser;

    before(async () => {
      account = await openAccount(engine, packaged.folder, ["jobs", "waits"]);
      ({ browser } = account);
    });

    after(() => account?.close());

    test("retrievals and inventories are jobs, with all there is to know of them", LIMIT, async () => {
      account.hasEvents = false;
      const result = await browser.evaluate(async (topic) => {
        const vaults = await connect();
        const vault = await vaults.create("jobs");
        const archive = await store("jobs", "x".repeat(3 << 20), "three");
        const plain = (job) => {
          const names = [
            "jobId", "vault", "action", "status", "completed", "statusMessage", "description", "createdAt",
            "completedAt", "snsTopic", "archiveId", "archiveSize", "archiveTreeHash", "range", "treeHash", "tier",
            "inventorySize", "inventory",
          ];
          return Object.fromEntries(names.map((name) => [name, job[name]]));
        };
        const whole = await vault.retrieve(archive.archiveId);
        const began = plain(whole);
        const same = await whole.done();
        const ended = plain(whole);
        const range = { start: 1 << 20, end: 3 << 20 };
        const part = await vault.retrieve(archive.archiveId, { range, tier: "Bulk", description: "for Anna", snsTopic: topic });
        const startDate = new Date("2020-01-01T00:00:00.999Z");
        const inventory = await vault.inventory({ format: "CSV", startDate, limit: 5 });
        await inventory.done();
        await part.done();
        await part.done();
        const jobs = (await all(vault.jobs())).map((job) => job.jobId);
        const running = (await all(vault.jobs({ completed: false }))).length;
        const failed = (await all(vault.jobs({ statusCode: "Failed" }))).length;
        const again = await vault.job(part.jobId);
        const refreshed = await again.refresh();
        await vaults.close();
        return {
          archive, began, ended, sameJob: same.jobId === whole.jobId, part: plain(again), inventory: plain(inventory),
          dates: [
            whole.createdAt instanceof Date, whole.completedAt >= whole.createdAt,
            inventory.inventory.startDate.toISOString(), began.completedAt,
          ],
          jobs, ids: [whole.jobId, part.jobId, inventory.jobId], running, failed, refreshed: refreshed.status,
        };
      }, [TOPIC]);
      const { archive, began, ended, part, inventory } = result;
      const size = 3 << 20;
      assert.equal(began.action, "ArchiveRetrieval");
      assert.ok(result.sameJob);
      assert.deepEqual(
        { ...ended, jobId: "", createdAt: "", completedAt: "" },
        {
          jobId: "", vault: "jobs", action: "ArchiveRetrieval", status: "Succeeded", completed: true,
          statusMessage: "Succeeded", description: null, createdAt: "", completedAt: "", snsTopic: null,
          archiveId: archive.archiveId, archiveSize: size, archiveTreeHash: archive.treeHash,
          range: { start: 0, end: size }, treeHash: archive.treeHash, tier: "Standard", inventorySize: null,
          inventory: null,
        },
      );
      assert.deepEqual(
        [part.range, part.treeHash, part.tier, part.description, part.snsTopic, part.status],
        [{ start: 1 << 20, end: size }, null, "Bulk", "for Anna", TOPIC, "Succeeded"],
      );
      assert.equal(inventory.action, "InventoryRetrieval");
      assert.ok(inventory.inventorySize > 0);
      assert.deepEqual(
        { ...inventory.inventory, startDate: "" },
        { format: "CSV", startDate: "", endDate: null, limit: 5, marker: null },
      );
      assert.deepEqual(result.dates, [true, true, "2020-01-01T00:00:00.000Z", null]);
      assert.deepEqual(result.jobs, result.ids);
      assert.deepEqual([result.running, result.failed, result.refreshed], [0, 0, "Succeeded"]);
    });

    test("jobs are waited for by one stream of events, which is closed when nobody waits", LIMIT, async () => {
      account.hasEvents = true;
      account.streams = [];
      const ids = await browser.evaluate(async () => {
        // A store that is never done: only what the stream tells can end the wait within the test's time.
        const vaults = await connect();
        const vault = await vaults.create("waits");
        const { archiveId } = await store("waits", "some bytes");
        globalThis.job = await vault.retrieve(archiveId);
        globalThis.other = await vault.inventory();
        // Done in truth, before the page is told otherwise below.
        const asking = (await connect({ events: false })).vault("waits");
        for (const { jobId } of [job, other]) await (await asking.job(jobId)).done();
        const real = fetch;
        globalThis.release = () => (globalThis.held = false);
        globalThis.held = true;
        globalThis.describes = 0;
        globalThis.fetch = async (url, init) => {
          const response = await real(url, init);
          if (!new URL(url, location).pathname.match(/\/jobs\/[^/]+$/)) return response;
          describes++;
          if (!held) return response;
          const body = { ...(await response.json()), StatusCode: "InProgress", Completed: false };
          return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
        };
        globalThis.waits = [job.done(), job.done(), other.done()];
        return [job.jobId, other.jobId];
      });
      while (!account.streams.some((stream) => stream.open)) await new Promise((resolve) => setTimeout(resolve, 20));
      const [stream] = account.streams;
      assert.ok(stream.url.endsWith("/v1/events?vault=waits"), stream.url);
      assert.match(stream.headers.authorization, /^Bearer \w+\.\w/);
      assert.equal(account.streams.length, 1);
      await browser.evaluate(() => release());
      for (const JobId of ids) stream.send("job", { JobId });
      const ended = await browser.evaluate(async () => (await Promise.all(waits)).map((job) => job.status));
      assert.deepEqual(ended, ["Succeeded", "Succeeded", "Succeeded"]);
      while (stream.open) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(account.streams.length, 1);
    });

    test("a wait can be aborted, and closes its stream", LIMIT, async () => {
      account.hasEvents = true;
      account.streams = [];
      await browser.evaluate(async () => {
        globalThis.held = true;
        globalThis.aborting = new AbortController();
        const vault = (await connect()).vault("waits");
        const job = await vault.job(globalThis.job.jobId);
        globalThis.wait = failureOf(() => job.done({ signal: aborting.signal }));
      });
      while (!account.streams.some((stream) => stream.open)) await new Promise((resolve) => setTimeout(resolve, 20));
      const name = await browser.evaluate(async () => {
        aborting.abort();
        return (await wait).name;
      });
      assert.equal(name, "AbortError");
      while (account.streams.some((stream) => stream.open)) await new Promise((resolve) => setTimeout(resolve, 20));
    });

    test("without events, or when the stream breaks, jobs are asked for", LIMIT, async () => {
      for (const options of [{}, { events: false }]) {
        account.hasEvents = false;
        account.streams = [];
        const asked = await browser.evaluate(async (options) => {
          globalThis.held = true;
          sent.length = 0;
          const vault = (await connect(options)).vault("waits");
          const job = await vault.job(globalThis.job.jobId);
          const wait = job.done();
          describes = 0;
          while (describes < 2) await new Promise((resolve) => setTimeout(resolve, 20));
          release();
          return { status: (await wait).status, events: sent.filter((url) => url.includes("/events")).length };
        }, [options]);
        assert.deepEqual(asked, { status: "Succeeded", events: options.events === false ? 0 : 1 });
      }
      account.hasEvents = true;
      await browser.evaluate(async () => {
        globalThis.held = true;
        const vault = (await connect()).vault("waits");
        globalThis.wait = (await vault.job(globalThis.job.jobId)).done();
      });
      while (!account.streams.some((stream) => stream.open)) await new Promise((resolve) => setTimeout(resolve, 20));
      account.hasEvents = false;
      for (const stream of account.streams) stream.end();
      const status = await browser.evaluate(async () => {
        release();
        return (await wait).status;
      });
      assert.equal(status, "Succeeded");
    });

    test("the gateway's own events end a wait", LIMIT, async () => {
      account.hasEvents = "real";
      const ended = await browser.evaluate(async () => {
        // No answer says that a job is done before the stream has said so, and the next question is minutes away.
        let opened;
        const open = new Promise((resolve) => (opened = resolve));
        let told = false;
        const real = fetch;
        globalThis.fetch = async (url, init) => {
          const response = await real(url, init);
          const { pathname } = new URL(url, location);
          if (pathname.endsWith("/events")) {
            const listen = new TransformStream({
              transform(chunk, controller) {
                opened();
                told ||= new TextDecoder().decode(chunk).includes("event: job");
                controller.enqueue(chunk);
              },
            });
            return new Response(response.body.pipeThrough(listen), { headers: response.headers });
          }
          if (told || !pathname.match(/\/jobs\/[^/]+$/)) return response;
          const body = { ...(await response.json()), StatusCode: "InProgress", Completed: false };
          return new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });
        };
        release();
        const vault = (await connect()).vault("waits");
        const { archiveId } = await store("waits", "bytes of its own");
        const first = (await vault.inventory()).done();
        await open;
        const job = await vault.retrieve(archiveId);
        await job.done();
        globalThis.fetch = real;
        first.catch(() => {});
        return { status: job.status, told };
      });
      assert.deepEqual(ended, { status: "Succeeded", told: true });
      account.hasEvents = false;
    });
  });
}
