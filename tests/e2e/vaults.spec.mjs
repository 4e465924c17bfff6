// Vaults and lists through the package, in two browsers against the real gateway and store: what each call gives, what it
// asks for, and how it fails.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openAccount } from "./account.mjs";
import { librarySite } from "./site.mjs";

const NAMES = Array.from({ length: 13 }, (_, i) => `vault-${String(i).padStart(2, "0")}`);
const LIMIT = { timeout: 120_000 };
const TOPIC = "arn:aws:sns:us-east-1:012345678901:done";
const DAY = 86_400_000;

let packaged;

before(async () => (packaged = await librarySite()));
after(() => packaged?.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let account;
    let browser;

    before(async () => {
      account = await openAccount(engine, packaged.folder, [...NAMES, "none"]);
      ({ browser } = account);
    });

    after(() => account?.close());

    test("vaults are made, described, listed page by page and deleted", LIMIT, async () => {
      const result = await browser.evaluate(async (names) => {
        const vaults = await connect();
        const made = [];
        for (const name of names) made.push((await vaults.create(name)).name);
        await vaults.create(names[0]);
        sent.length = 0;
        const listing = vaults.list();
        const first = await listing.next();
        const asked = [sent.filter((request) => /\/vaults(\?|$)/.test(request)).length];
        const rest = await all(listing);
        asked.push(sent.filter((request) => /\/vaults(\?|$)/.test(request)).length);
        const over = await listing.next();
        const described = await vaults.vault(names[3]).describe();
        const left = vaults.list();
        for await (const one of left) if (one.name === names[1]) break;
        const afterBreak = await left.next();
        for (const name of names.slice(6)) await vaults.vault(name).delete();
        const remaining = (await all(vaults.list())).map((vault) => vault.name);
        await vaults.close();
        const { createdAt, lastInventoryAt, ...described_ } = described;
        return {
          made, asked, ends: [over.done, afterBreak.done, "value" in over && over.value === undefined], remaining, described: described_, lastInventoryAt,
          isDate: createdAt instanceof Date && Math.abs(createdAt - Date.now()) < 120_000,
          listed: [first.value, ...rest].map((vault) => vault.name),
        };
      }, [NAMES]);
      assert.deepEqual(result.made, NAMES);
      const own = result.listed.filter((name) => NAMES.includes(name));
      assert.deepEqual(own, NAMES);
      assert.deepEqual(result.asked, [1, 2], "one page of ten, then one more");
      assert.deepEqual(result.ends, [true, true, true]);
      assert.ok(result.isDate);
      assert.equal(result.lastInventoryAt, null);
      const arn = "arn:aws:glacier:us-east-1:";
      assert.ok(result.described.arn.startsWith(arn) && result.described.arn.endsWith(`:vaults/${NAMES[3]}`));
      assert.deepEqual({ ...result.described, arn }, { name: NAMES[3], arn, archives: 0, size: 0 });
      assert.deepEqual(result.remaining.filter((name) => NAMES.includes(name)), NAMES.slice(0, 6));
    });

    test("tags, notifications and policies are what was set, and nothing where nothing was", LIMIT, async () => {
      const result = await browser.evaluate(async (name, topic) => {
        const vaults = await connect();
        const vault = await vaults.create(name);
        const found = { before: [await vault.tags(), await vault.notifications(), await vault.accessPolicy()] };
        const many = Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`key-${i}`, `value ${i}`]));
        await vault.addTags(many);
        await vault.addTags({ "key-0": "another", "Größe": "ü" });
        found.tags = await vault.tags();
        await vault.removeTags(Object.keys(many));
        await vault.addTags({});
        found.left = await vault.tags();
        await vault.setNotifications({ snsTopic: topic, events: ["ArchiveRetrievalCompleted"] });
        found.notifications = await vault.notifications();
        await vault.deleteNotifications();
        const { arn } = await vault.describe();
        const policy = {
          Version: "2012-10-17",
          Statement: [{ Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: arn }],
        };
        await vault.setAccessPolicy(policy);
        found.policy = [await vault.accessPolicy(), JSON.stringify(policy)];
        const text = ` ${JSON.stringify(policy)} `;
        await vault.setAccessPolicy(text);
        found.text = (await vault.accessPolicy()) === text;
        found.denied = (await failureOf(() => vault.archives.delete("archive"))).code;
        await vault.deleteAccessPolicy();
        await vault.deleteAccessPolicy();
        await vault.archives.delete("archive");
        found.after = [await vault.notifications(), await vault.accessPolicy()];
        await vaults.close();
        return found;
      }, [NAMES[0], TOPIC]);
      assert.deepEqual(result.before, [{}, null, null]);
      assert.equal(Object.keys(result.tags).length, 24);
      assert.deepEqual([result.tags["key-0"], result.tags["key-22"]], ["another", "value 22"]);
      assert.deepEqual(result.left, { "Größe": "ü" });
      assert.deepEqual(result.notifications, { snsTopic: TOPIC, events: ["ArchiveRetrievalCompleted"] });
      assert.equal(result.policy[0], result.policy[1]);
      assert.ok(result.text);
      assert.equal(result.denied, "AUTH_DENIED");
      assert.deepEqual(result.after, [null, null]);
    });

    test("a lock is on trial, goes away, and is final when it is completed", LIMIT, async () => {
      const result = await browser.evaluate(async (name) => {
        const vaults = await connect();
        const vault = await vaults.create(name);
        const found = { none: await vault.lock() };
        const { arn } = await vault.describe();
        const statement = { Effect: "Deny", Principal: "*", Action: "glacier:DeleteArchive", Resource: arn };
        const policy = { Version: "2012-10-17", Statement: [statement] };
        await vault.initiateLock(policy);
        const trial = await vault.lock();
        found.trial = { policy: trial.policy, state: trial.state, lasts: trial.expiresAt - trial.createdAt };
        found.policy = JSON.stringify(policy);
        await vault.abortLock();
        found.aborted = await vault.lock();
        const id = await vault.initiateLock(policy);
        found.wrong = (await failureOf(() => vault.completeLock("another"))).code;
        await vault.completeLock(id);
        const locked = await vault.lock();
        found.locked = [locked.state, locked.expiresAt];
        found.abort = (await failureOf(() => vault.abortLock())).code;
        await vaults.close();
        return found;
      }, [NAMES[1]]);
      assert.equal(result.none, null);
      assert.deepEqual(result.trial, { policy: result.policy, state: "InProgress", lasts: DAY });
      assert.equal(result.aborted, null);
      assert.equal(result.wrong, "REFUSED");
      assert.deepEqual(result.locked, ["Locked", null]);
      assert.equal(result.abort, "AUTH_DENIED");
    });

    test("the account has a retrieval policy and units of capacity", LIMIT, async () => {
      const result = await browser.evaluate(async () => {
        const vaults = await connect();
        const found = { before: await vaults.retrievalPolicy() };
        await vaults.setRetrievalPolicy({ strategy: "BytesPerHour", bytesPerHour: 2 ** 40 });
        found.limited = await vaults.retrievalPolicy();
        await vaults.setRetrievalPolicy({ strategy: "None" });
        found.wrong = await failureOf(() => vaults.setRetrievalPolicy({ strategy: "None", bytesPerHour: 5 }));
        const id = await vaults.purchaseProvisionedCapacity();
        const units = await vaults.provisionedCapacity();
        found.bought = units.filter((unit) => unit.capacityId === id).map((unit) => unit.expiresAt - unit.startsAt);
        await vaults.close();
        return found;
      });
      assert.deepEqual(result.before, { strategy: "None" });
      assert.deepEqual(result.limited, { strategy: "BytesPerHour", bytesPerHour: 2 ** 40 });
      assert.equal(result.wrong.code, "INVALID_OPTION");
      assert.equal(result.bought.length, 1);
      assert.ok(result.bought[0] >= 27 * DAY && result.bought[0] <= 32 * DAY);
    });

    test("uploads that were left are listed with their parts, and removed", LIMIT, async () => {
      const result = await browser.evaluate(async (name) => {
        const vaults = await connect();
        const vault = await vaults.create(name);
        const uploader = await library.createUploader({
          endpoint: "/v1", target: { vault: name }, partSize: 1 << 20, concurrency: 1, workers: 1, getHeaders: granted,
        });
        const upload = uploader.add(new Blob(["a".repeat(70 << 20)]), { description: "left behind" });
        upload.done().catch(() => {});
        await new Promise((resolve) => upload.on("progress", (progress) => progress.parts.confirmed > 55 && resolve()));
        upload.pause();
        const [left] = await all(vault.uploads());
        sent.length = 0;
        const parts = await all(left.parts());
        const pages = sent.filter((request) => request.includes("/multipart-uploads/")).length;
        const found = {
          description: left.description, partSize: left.partSize, isDate: left.createdAt instanceof Date, pages,
          inOrder: parts.every((part, i) => part.range.start === i << 20 && part.range.end === (i + 1) << 20),
          hashes: new Set(parts.map((part) => part.treeHash)).size, count: parts.length,
        };
        await left.abort();
        await left.abort();
        found.after = (await all(vault.uploads())).length;
        found.gone = (await failureOf(() => all(left.parts()))).code;
        await uploader.close();
        await vaults.close();
        return found;
      }, [NAMES[2]]);
      assert.ok(result.count > 55 && result.count < 70, `${result.count} parts`);
      const { count, ...rest } = result;
      assert.deepEqual(rest, {
        description: "left behind", partSize: 1 << 20, isDate: true, pages: 2, inOrder: true, hashes: 1, after: 0,
        gone: "UPLOAD_EXPIRED",
      });
    });

    test("what is wrong is told by its code, and before anything is sent where it can be", LIMIT, async () => {
      const result = await browser.evaluate(async (name) => {
        const vaults = await connect();
        const vault = await vaults.create(name);
        const { archiveId } = await store(name, "y".repeat(3 << 20));
        const codes = {};
        const expect = async (what, action) => {
          const failure = await failureOf(action);
          codes[what] = failure.isUploadError ? failure.code : failure.name ?? failure;
        };
        sent.length = 0;
        await expect("name", () => vaults.create("a/b"));
        await expect("vault", () => vaults.vault(""));
        await expect("key", () => vault.describe({ sgnal: 1 }));
        await expect("signal", () => vault.describe({ signal: 1 }));
        await expect("list", () => vaults.list({ limit: 1 }));
        await expect("filter", () => vault.jobs({ statusCode: "Done" }));
        await expect("archive", () => vault.retrieve("a b"));
        await expect("tier", () => vault.retrieve(archiveId, { tier: "Fast" }));
        await expect("range", () => vault.retrieve(archiveId, { range: { start: 1, end: 5 } }));
        await expect("date", () => vault.inventory({ startDate: new Date(NaN) }));
        await expect("limit", () => vault.inventory({ limit: 0 }));
        await expect("tag", () => vault.addTags({ "#": "" }));
        await expect("tags", () => vault.addTags(["a"]));
        await expect("keys", () => vault.removeTags("a"));
        await expect("topic", () => vault.setNotifications({ snsTopic: "x", events: ["ArchiveRetrievalCompleted"] }));
        await expect("policy", () => vault.setAccessPolicy("no json"));
        await expect("cycle", () => { const a = {}; a.a = a; return vault.setAccessPolicy(a); });
        await expect("lock", () => vault.completeLock("a/b"));
        await expect("options", () => connect({ target: { vault: "a" } }));
        codes.sent = sent.length;
        await expect("end", () => vault.retrieve(archiveId, { range: { start: 0, end: (2 << 20) + 1 } }));
        await expect("missing archive", () => vault.retrieve("nobodysarchive"));
        await expect("missing job", () => vault.job("nobodysjob"));
        await expect("missing vault", () => vaults.vault("none").describe());
        await expect("missing vault's jobs", () => all(vaults.vault("none").jobs()));
        await expect("not empty", () => vault.delete());
        await expect("not allowed", () => vaults.vault("elsewhere").describe());
        return codes;
      }, [NAMES[3]]);
      assert.deepEqual(result, {
        name: "INVALID_VAULT_NAME", vault: "INVALID_VAULT_NAME", key: "INVALID_OPTION", signal: "INVALID_OPTION",
        list: "INVALID_OPTION", filter: "INVALID_OPTION", archive: "INVALID_OPTION", tier: "INVALID_OPTION",
        range: "INVALID_RANGE", date: "INVALID_OPTION", limit: "INVALID_OPTION", tag: "INVALID_OPTION",
        tags: "INVALID_OPTION", keys: "INVALID_OPTION", topic: "INVALID_OPTION", policy: "INVALID_OPTION",
        cycle: "INVALID_OPTION", lock: "INVALID_OPTION", options: "INVALID_OPTION", sent: 0,
        end: "INVALID_RANGE", "missing archive": "ARCHIVE_NOT_FOUND", "missing job": "JOB_EXPIRED",
        "missing vault": "VAULT_NOT_FOUND", "missing vault's jobs": "VAULT_NOT_FOUND", "not empty": "REFUSED",
        "not allowed": "AUTH_DENIED",
      });
    });

    test("a token may do what it grants and no more", LIMIT, async () => {
      const reading = account.gateway.token({ vaults: [NAMES[3]], ops: ["read"] });
      const expired = account.gateway.expiredToken();
      const result = await browser.evaluate(async (name, reading, expired) => {
        const as = async (token) => (await connect({ getHeaders: () => ({ authorization: `Bearer ${token}` }) })).vault(name);
        const reader = await as(reading);
        const found = { reads: (await reader.describe()).name };
        for (const [what, action] of [
          ["delete", () => reader.archives.delete("archive")],
          ["tag", () => reader.addTags({ a: "b" })],
        ]) found[what] = (await failureOf(action)).code;
        const late = await as(expired);
        const failure = await failureOf(() => late.describe());
        found.expired = [failure.code, failure.retryable];
        const nobody = (await connect({ getHeaders: () => ({}) })).vault(name);
        found.nobody = (await failureOf(() => nobody.describe())).code;
        let asked = 0;
        const renewed = await connect({ getHeaders: () => ({ authorization: `Bearer ${asked++ ? reading : expired}` }) });
        found.renewed = [(await renewed.vault(name).describe()).name, asked];
        const thrown = await connect({ getHeaders: () => { throw new Error("signed out"); }, retry: { maxAttempts: 1 } });
        try {
          await thrown.vault(name).describe();
        } catch (error) {
          found.thrown = [error.code, error.cause?.message];
        }
        return found;
      }, [NAMES[3], reading, expired]);
      assert.deepEqual(result, {
        reads: NAMES[3], delete: "AUTH_DENIED", tag: "AUTH_DENIED", expired: ["AUTH_EXPIRED", true],
        nobody: "AUTH_MISSING", renewed: [NAMES[3], 2], thrown: ["SIGN_FAILED", "signed out"],
      });
    });

    test("an aborted call rejects with AbortError and sends nothing more", LIMIT, async () => {
      const result = await browser.evaluate(async (name) => {
        const vaults = await connect();
        const vault = vaults.vault(name);
        const names = [];
        const end = async (action) => names.push((await failureOf(action)).name);
        const before = AbortSignal.abort();
        sent.length = 0;
        await end(() => vault.describe({ signal: before }));
        await end(() => vault.retrieve("archive", { signal: before }));
        await end(() => all(vault.jobs({ signal: before })));
        names.push(sent.length);
        const during = new AbortController();
        const call = vault.describe({ signal: during.signal });
        during.abort();
        await end(() => call);
        const walking = new AbortController();
        const list = vaults.list({ signal: walking.signal });
        await list.next();
        walking.abort();
        // What has arrived is given; the next page is not asked for.
        await end(async () => { while (!(await list.next()).done); });
        names.push((await list.next()).done);
        const late = vault.describe();
        await vaults.close();
        await end(() => late);
        await end(() => vault.describe());
        return names;
      }, [NAMES[3]]);
      assert.deepEqual(result.slice(0, 5), ["AbortError", "AbortError", "AbortError", 0, "AbortError"]);
      assert.deepEqual(result.slice(6), [true, "AbortError", "AbortError"]);
    });
  });
}
