// The records by which a later visit goes on: in more than one tab, damaged, of other versions, and where none can be kept.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { MIB } from "./files.mjs";
import { done, N_PARTS, World } from "./visits.mjs";

let world;

before(async () => {
  world = await World.open();
});

after(() => world?.close());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let browser;

    before(async () => {
      browser = await launch(engine);
    });

    after(() => browser?.close());

    afterEach(() => world.cleanUp(browser));

    test(`${engine}: a second tab sees that an upload runs and leaves it alone`, { timeout: 120_000 }, async () => {
      await world.begin(browser, { parts: 5 });
      const first = world.network;
      const second = await browser.tab();
      try {
        await world.visit(second);
        world.network.parts = 0;
        const [{ inUse }] = await second.evaluate(() => left());
        assert.equal(inUse, true);
        for (const what of ["resume", "discard"]) {
          const refused = await second.evaluate(async (what) => {
            const [left] = await uploader.unfinished();
            return failureOf(() => left[what](file(0)));
          }, [what]);
          assert.deepEqual([refused.isUploadError, refused.code], [true, "UPLOAD_IN_USE"]);
        }
        // Its own upload of the same file is another one.
        await second.evaluate(() => void add(0));
        await second.waitFor(() => upload.resumable);
        assert.deepEqual([world.network.begun, world.network.listed], [1, 0]);
        await second.evaluate(() => upload.abort());
        assert.equal((await second.evaluate(() => left())).length, 1);
        // The tab is gone, and with it its lock.
        await browser.open("about:blank");
        await second.waitFor(async () => (await left())[0].inUse === false, [], { what: "the lock to be given back" });
        world.network.parts = Infinity;
        await second.evaluate(async () => {
          const [left] = await uploader.unfinished();
          globalThis.upload = await left.resume(file(0));
        });
        const { succeeded, ...failure } = await done(second);
        assert.ok(succeeded, JSON.stringify(failure));
        await world.assertStored(succeeded.archiveId, world.path);
        assert.equal(world.network.sent.length, N_PARTS - 5);
        assert.equal(first.begun, 1);
      } finally {
        await second.page.close();
      }
    });

    test(`${engine}: records that cannot be read hide no other, and are left alone`, { timeout: 120_000 }, async () => {
      await world.begin(browser, { parts: 2 });
      await world.visit(browser);
      const entries = await browser.evaluate(async () => {
        const asked = (request) => new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
        const database = await asked(indexedDB.open("glacier-upload-journal"));
        const store = () => database.transaction("uploads", "readwrite").objectStore("uploads");
        const [[key, text]] = await asked(store().getAll());
        const put = (id, value) => asked(store().put(value, [key[0], id]));
        const changed = (id, changes) => put(id, [[key[0], id], JSON.stringify({ ...JSON.parse(text), id, ...changes })]);
        await put("0", [[key[0], "0"], "{"]);
        await put("1", "a text");
        await put("2", { of: "another form" });
        await put("3", new Blob(["x"]));
        await changed("4", { version: 2 });
        await changed("5", { acknowledged: "all" });
        await changed("6", { savedAt: Date.now() - 31 * 24 * 3_600_000 });
        await changed("7", { version: 2, savedAt: Date.now() - 31 * 24 * 3_600_000 });
        const found = await uploader.unfinished();
        add(0);
        await upload.done();
        await uploader.unfinished(); // when that is known, so is what was done before
        const ids = (await asked(store().getAllKeys())).map(([, id]) => id);
        for (const id of ids) await asked(store().delete([key[0], id]));
        database.close();
        return { found: found.length, text, ids };
      });
      assert.equal(entries.found, 1);
      assert.deepEqual(entries.ids, ["0", "1", "2", "3", "4", "5"], "but for those that are outdated and the one that is done");
      assert.deepEqual([world.network.begun, world.network.sent.length], [0, N_PARTS - 2]);
      const record = JSON.parse(entries.text);
      assert.deepEqual(Object.keys(record).sort(), [
        "acknowledged", "begunAt", "endpoint", "file", "id", "partSize", "savedAt", "target", "uploadId", "version",
      ]);
      assert.doesNotMatch(entries.text, /Bearer|gu1\.|Signature|authorization/i);
    });

    for (const [how, break_] of Object.entries({
      "is forbidden": () => Object.defineProperty(globalThis, "indexedDB", { get() { throw new DOMException("no", "SecurityError"); } }),
      "is missing": () => Object.defineProperty(globalThis, "indexedDB", { value: undefined }),
      "cannot be opened": () => { IDBFactory.prototype.open = () => { throw new DOMException("no", "InvalidStateError"); }; },
      "has no room": () => { IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); }; },
      "does not answer": () => { IDBFactory.prototype.open = () => new EventTarget(); },
    })) {
      test(`${engine}: where IndexedDB ${how} uploads go on, and say that no later visit can`, { timeout: 120_000 }, async () => {
        await world.visit(browser);
        await browser.evaluate(`(${break_})()`);
        const { resumable, archiveId } = await browser.evaluate(async () => {
          const seen = new Set();
          add(0).on("progress", () => seen.add(upload.resumable));
          const { archiveId } = await upload.done();
          return { resumable: [...seen], archiveId };
        });
        assert.deepEqual(resumable, [false]);
        await world.assertStored(archiveId, world.path);
        if (how !== "does not answer") assert.deepEqual(await browser.evaluate(() => uploader.unfinished()), []);
      });
    }

    test(`${engine}: without Web Locks an upload goes on after a reload all the same`, { timeout: 120_000 }, async () => {
      const without = () => Object.defineProperty(navigator, "locks", { value: undefined });
      await world.visit(browser);
      await browser.evaluate(`(${without})()`);
      world.network.parts = 6;
      await browser.evaluate(() => void add(0));
      await world.recorded(browser, 6 * MIB);
      assert.equal((await browser.evaluate(() => left()))[0].inUse, true, "known within one page");
      await world.visit(browser);
      await browser.evaluate(`(${without})()`);
      await browser.evaluate(() => void add(0));
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path);
      assert.equal(world.network.sent.length, N_PARTS - 6);
    });
  });
}
