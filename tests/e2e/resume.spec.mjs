// Going on after the page was closed. What is stored is read back by the Python oracle.

import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { makeFile, MIB, scratch } from "./files.mjs";
import { VAULT } from "./gateway.mjs";
import { done, N_PARTS, SIZE, World, WRITTEN } from "./visits.mjs";

let world;

before(async () => {
  world = await World.open();
});

after(() => world?.close());

/** Fractions in an order that the seed decides (xorshift32). */
function randomFrom(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let browser;

    before(async () => {
      browser = await launch(engine);
    });

    after(() => browser?.close());

    afterEach(() => world.cleanUp(browser));

    test(`${engine}: after a reload the same file goes on, and no stored part is sent again`, { timeout: 120_000 }, async () => {
      await world.begin(browser);
      const first = world.network.sent;
      const before = await world.archives();
      await world.visit(browser);
      const [{ uploadId, bytesConfirmed, ...rest }, ...others] = await browser.evaluate(() => left());
      const { description, ...known } = rest; // only one of the browsers tells the test of what is undefined
      assert.equal(description, undefined);
      assert.deepEqual(known, {
        name: "film.mov", size: SIZE, lastModified: WRITTEN.getTime(), vault: VAULT, inUse: false, dated: true,
      });
      assert.ok(uploadId.length > 10, uploadId);
      assert.equal(bytesConfirmed, 8 * MIB);
      assert.equal(others.length, 0);
      await browser.evaluate(() => void add(0));
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path);
      assert.equal(world.network.begun, 0);
      assert.ok(world.network.listed >= 1);
      assert.equal(world.network.sent.length, N_PARTS - 8);
      assert.deepEqual([...first, ...world.network.sent].sort((a, b) => a - b), Array.from({ length: N_PARTS }, (_, part) => part * MIB));
      assert.equal(await world.archives(), before + 1);
      assert.deepEqual(await browser.evaluate(() => left()), []);
    });

    test(`${engine}: a reload after the end was sent gives the same archive and sends nothing`, { timeout: 120_000 }, async () => {
      const before = await world.archives();
      const archiveId = await world.loseTheEnd(browser);
      // And once more.
      await world.visit(browser);
      world.network.loses = true;
      await browser.evaluate(() => void add(0));
      assert.equal(await world.lost(), archiveId);
      assert.deepEqual([world.network.begun, world.network.sent.length], [0, 0]);

      await world.visit(browser);
      await browser.evaluate(async () => {
        const [left] = await uploader.unfinished();
        globalThis.upload = await left.resume(file(0));
      });
      const { succeeded, ...failure } = await done(browser);
      assert.equal(succeeded?.archiveId, archiveId, JSON.stringify(failure));
      assert.deepEqual([world.network.begun, world.network.sent.length, world.network.completed], [0, 0, 1]);
      await world.assertStored(archiveId, world.path);
      assert.equal(await world.archives(), before + 1);
    });

    const seed = Number(process.env.RESUME_SEED ?? Math.floor(Math.random() * 2 ** 31));
    test(`${engine}: however often the page is closed, one archive is made and little is sent twice (seed ${seed})`, { timeout: 300_000 }, async () => {
      const random = randomFrom(seed);
      const before = await world.archives();
      let [sent, begun, closed, archiveId] = [0, 0, 0, null];
      for (; !archiveId; closed++) {
        await world.visit(browser);
        archiveId = await browser.evaluate(() => localStorage.getItem("archive"));
        if (archiveId) break;
        await browser.evaluate(() => {
          add(0);
          upload.done().then(({ archiveId }) => localStorage.setItem("archive", archiveId));
        });
        // A few parts a visit, then a moment in which anything may happen.
        world.network.parts = Math.floor(random() * 5);
        const { parts } = world.network;
        await browser.waitFor((bytes) => upload.progress.bytesSent >= bytes || upload.state === "completing", [parts * MIB], { everyMs: 10 });
        await new Promise((resolve) => setTimeout(resolve, random() * 300));
        sent += world.network.sent.length;
        begun += world.network.begun;
      }
      await browser.evaluate(() => localStorage.clear());
      await world.assertStored(archiveId, world.path);
      assert.equal(await world.archives(), before + 1);
      assert.ok(closed >= 4, `closed ${closed} times`);
      // Of an upload whose ID was not recorded yet, all is lost; of every other, what was in flight.
      assert.ok(begun <= closed && sent <= N_PARTS + closed * 4, `${sent} parts, ${begun} uploads, closed ${closed} times`);
    });

    test(`${engine}: another file behind the same name, size and date is stored as it is`, { timeout: 180_000 }, async () => {
      const other = await world.impostor();
      await world.begin(browser);
      await world.visit(browser, [other]);
      await browser.evaluate(() => void add(0));
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, other);
      assert.equal(world.network.sent.length, N_PARTS, "every part, since none is the same");

      // Nor is the archive of the first the second's.
      const archiveId = await world.loseTheEnd(browser);
      await world.visit(browser, [other]);
      await browser.evaluate(() => void add(0));
      const second = await done(browser);
      assert.ok(second.succeeded, JSON.stringify(second));
      assert.notEqual(second.succeeded.archiveId, archiveId);
      await world.assertStored(second.succeeded.archiveId, other);
      await world.assertStored(archiveId, world.path);
    });

    test(`${engine}: a wrong file is refused with what differs, and the right one goes on after it`, { timeout: 120_000 }, async () => {
      await world.begin(browser);
      const short = await makeFile(world.files.folder, "short.mov", 3 * MIB);
      await world.visit(browser, [world.path, short, await world.impostor()]);
      const resume = (index) => browser.evaluate(async (index) => {
        const [left] = await uploader.unfinished();
        return failureOf(async () => {
          globalThis.upload = await left.resume(file(index));
          return upload.done();
        });
      }, [index]);
      const refused = await resume(1);
      assert.deepEqual([refused.isUploadError, refused.code, refused.retryable], [true, "FILE_CHANGED", false]);
      assert.match(refused.message, /it has 3145728 bytes and not 20971515/);
      assert.match(refused.hint, /film\.mov/);
      const found = await resume(2);
      assert.deepEqual([found.isUploadError, found.code], [true, "FILE_CHANGED"]);
      assert.match(found.message, /earlier visit/);
      assert.equal(world.network.sent.length, 0);
      const nameless = () => failureOf(async () => (await uploader.unfinished())[0].resume(new Blob(["x"])));
      assert.equal((await browser.evaluate(nameless)).code, "INVALID_OPTION");
      const { succeeded, ...failure } = await resume(0);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path);
      assert.equal(world.network.sent.length, N_PARTS - 8);
    });

    test(`${engine}: description and part size are those of the beginning`, { timeout: 120_000 }, async () => {
      await world.begin(browser, { parts: 4, partSize: 2 * MIB, options: { description: "Iceland 2026" } });
      await world.visit(browser, [world.path], { partSize: 4 * MIB });
      await browser.evaluate(async () => {
        const [left] = await uploader.unfinished();
        globalThis.upload = await left.resume(file(0));
      });
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path, "Iceland 2026");
      assert.equal(world.network.sent.length, N_PARTS / 2 - 4);
      assert.ok(world.network.sent.every((start) => start % (2 * MIB) === 0));
    });

    test(`${engine}: another description, or resume: false, is another upload`, { timeout: 120_000 }, async () => {
      await world.begin(browser, { parts: 3 });
      for (const options of [{ description: "another" }, { resume: false }]) {
        await world.visit(browser);
        await browser.evaluate((options) => void add(0, options), [options]);
        const { succeeded } = await done(browser);
        await world.assertStored(succeeded.archiveId, world.path, options.description ?? null);
        assert.deepEqual([world.network.begun, world.network.sent.length], [1, N_PARTS]);
        assert.equal((await browser.evaluate(() => left())).length, 1, "the first one is still there");
      }
    });

    test(`${engine}: the same file twice is two archives`, { timeout: 120_000 }, async () => {
      await world.visit(browser);
      const ids = await browser.evaluate(async () => {
        const both = [uploader.add(file(0)), uploader.add(file(0))];
        return Promise.all(both.map(async (one) => (await one.done()).archiveId));
      });
      assert.notEqual(ids[0], ids[1]);
      for (const id of ids) await world.assertStored(id, world.path);
    });

    test(`${engine}: what is discarded is gone at the store and here`, { timeout: 120_000 }, async () => {
      await world.begin(browser);
      const atTheStore = () => browser.evaluate(async (vault, authorization) => {
        const vaults = await library.createVaults({ endpoint: "/v1", getHeaders: () => ({ authorization }) });
        const found = [];
        for await (const { uploadId } of vaults.vault(vault).uploads()) found.push(uploadId);
        return found;
      }, [VAULT, `Bearer ${world.gateway.token({ ops: ["upload", "read"] })}`]);
      await world.visit(browser);
      const [{ uploadId }] = await browser.evaluate(() => left());
      assert.deepEqual(await atTheStore(), [uploadId]);
      const kept = await browser.evaluate(async () => {
        const [left] = globalThis.list = await uploader.unfinished();
        return (await left.discard()) ?? "nothing";
      });
      assert.equal(kept, "nothing");
      assert.deepEqual([await atTheStore(), await browser.evaluate(() => left())], [[], []]);
      const gone = await browser.evaluate(() => failureOf(() => list[0].resume(file(0))));
      assert.deepEqual([gone.isUploadError, gone.code], [true, "UPLOAD_EXPIRED"]);
    });

    test(`${engine}: what turns out to be complete is not discarded but named`, { timeout: 120_000 }, async () => {
      const archiveId = await world.loseTheEnd(browser);
      await world.visit(browser);
      const archive = await browser.evaluate(async () => (await uploader.unfinished())[0].discard());
      assert.equal(archive.archiveId, archiveId);
      await world.assertStored(archiveId, world.path);
    });

    test(`${engine}: what the store has dropped is begun anew`, { timeout: 120_000 }, async () => {
      await world.begin(browser);
      await world.visit(browser);
      await browser.evaluate(async (vault, authorization) => {
        const vaults = await library.createVaults({ endpoint: "/v1", getHeaders: () => ({ authorization }) });
        for await (const upload of vaults.vault(vault).uploads()) await upload.abort();
        add(0);
      }, [VAULT, `Bearer ${world.gateway.token({ ops: ["upload", "read"] })}`]);
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path);
      assert.equal(world.network.begun, 1);
      assert.equal(world.network.sent.length, N_PARTS, `${world.network.sent}`);
    });

  });

  test(`${engine}: after the browser was killed a new one goes on`, { timeout: 180_000 }, async () => {
    const { folder: profile, remove } = await scratch();
    let browser = await launch(engine, { profile });
    try {
      await world.begin(browser);
      await browser.kill();
      await rm(join(profile, "SingletonLock"), { force: true }); // Chromium's own, of a process that is gone
      browser = await launch(engine, { profile });
      await world.visit(browser);
      const [{ inUse }] = await browser.evaluate(() => left());
      assert.equal(inUse, false);
      await browser.evaluate(() => void add(0));
      const { succeeded, ...failure } = await done(browser);
      assert.ok(succeeded, JSON.stringify(failure));
      await world.assertStored(succeeded.archiveId, world.path);
      assert.equal(world.network.sent.length, N_PARTS - 8);

      const before = await world.archives();
      const archiveId = await world.loseTheEnd(browser);
      await browser.kill();
      await rm(join(profile, "SingletonLock"), { force: true });
      browser = await launch(engine, { profile });
      await world.visit(browser);
      await browser.evaluate(() => void add(0));
      const end = await done(browser);
      assert.equal(end.succeeded?.archiveId, archiveId, JSON.stringify(end));
      assert.deepEqual([world.network.begun, world.network.sent.length, await world.archives()], [0, 0, before + 1]);
    } finally {
      await browser.close();
      await remove();
    }
  });
}
