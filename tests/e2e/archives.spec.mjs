// Getting things back through the page: the second view, with the real store behind it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { archives, ask, chooseFile, chosenFile, newJob, openArchives, press, reached, tabTo } from "./archives.mjs";
import { accessibilityFindings } from "./axe.mjs";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { SITE, startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage } from "./page.mjs";
import { startSite } from "./site.mjs";

const BOXES = "boxes";
const INVENTORY = "[data-job][data-action=InventoryRetrieval]";

let files;
let film;
let note;

before(async () => {
  files = await scratch();
  const path = await makeFile(files.folder, "film.bin", 20 * MIB + 17);
  film = { path, ...(await fileFacts(path)), bytes: await readFile(path) };
  note = { path: await makeFile(files.folder, "note.bin", 99) };
});

after(() => files.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let gateway;
    let browser;
    let downloads;
    let filmRow; // the archive's, in the second view

    before(async () => {
      gateway = await startGateway({ args: ["--vault", BOXES, "--vault", "vast"] });
      downloads = await scratch();
      browser = await launch(engine, { downloads: downloads.folder });
      filmRow = await store(film.path, "Iceland 2026");
    });

    after(async () => {
      await browser?.close();
      await gateway?.stop();
      await downloads?.remove();
    });

    /** Stores a file by the first view and returns the selector of its row in the second. */
    const store = async (path, description) => {
      await openPage(browser, gateway.url, `?description=${encodeURIComponent(description)}`);
      await browser.setFiles("#file-input", [path]);
      const sent = await ended(browser);
      assert.equal(sent.state, "done", `${sent.errorCode}: ${sent.text}`);
      const row = `[data-archive][data-archive-id="${sent.archiveId}"]`;
      await browser.click("nav a[href='#archives']");
      await browser.waitFor((row) => document.querySelector(row) !== null, [row], { timeoutMs: 20_000, what: "the upload to be listed" });
      await browser.click("nav a[href='#upload']");
      await browser.waitFor(() => document.activeElement.id === "upload-heading");
      return row;
    };

    /** Downloads what a job made, and returns the row as it is then. */
    const download = async (job, chosen) => {
      await reached(browser, job, ["ready"]);
      if (engine === "chromium") await chooseFile(browser, chosen);
      await press(browser, job, "download");
      const got = await reached(browser, job, ["done", "stopped"]);
      assert.equal(got.state, "done", `${got.errorCode}: ${got.text}\n${gateway.log()}`);
      return got;
    };

    /** Size and SHA-256 of what was downloaded: of the chosen file, or in the downloads folder. */
    const downloaded = async (name, chosen) => {
      if (engine === "chromium") return chosenFile(browser, chosen);
      const unfinished = (names) => !names.includes(name) || names.some((other) => other.endsWith(".part"));
      for (let attempt = 0; unfinished(await readdir(downloads.folder)); attempt++) {
        assert.ok(attempt < 300, `${name} is not among ${await readdir(downloads.folder)}; ${browser.messages.join("\n")}`);
        await browser.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
      }
      const { size, sha256 } = await fileFacts(join(downloads.folder, name));
      return { size, sha256 };
    };

    test("a file sent in the first view is got back in the second, verified", { timeout: 120_000 }, async () => {
      const row = await store(film.path, "Greenland 2026");
      assert.equal(await browser.evaluate(() => document.title), "Glacier Upload");
      await browser.click("nav a[href='#archives']");
      await browser.waitFor(() => document.activeElement.id === "archives-heading");
      const view = await browser.evaluate(() => ({
        title: document.title,
        focus: document.activeElement.id,
        first: document.querySelector("#upload-view").checkVisibility(),
      }));
      assert.deepEqual(view, { title: "Archives · Glacier Upload", focus: "archives-heading", first: false });
      assert.match(await textOf(browser, row), /Greenland 2026[^]*film\.bin[^]*21 MB/);

      await press(browser, row, "retrieve");
      await browser.click("#retrieval [value=Expedited]");
      const job = await ask(browser);
      assert.match(await textOf(browser, job), /Greenland 2026[^]*Expedited/);
      const got = await download(job, "greenland");
      assert.equal(got.verified, "whole");
      assert.equal(got.treeHash, film.treeHash);
      assert.match(got.text, /Verified[^]*as it was when this browser uploaded it/);
      assert.deepEqual(await downloaded("film.bin", "greenland"), { size: film.size, sha256: film.sha256 });

      await browser.click("nav a[href='#upload']");
      await browser.waitFor(() => document.activeElement.id === "upload-heading");
      assert.equal((await ended(browser)).state, "done", "the first view is as it was left");
    });

    test("what this browser uploaded is still listed after a reload", { timeout: 60_000 }, async () => {
      const row = await store(note.path, "kept");
      await openArchives(browser, gateway.url);
      assert.match(await textOf(browser, row), /kept[^]*Uploaded in this browser as note\.bin/);
    });

    test("a part is widened to what can be verified, and says so", { timeout: 120_000 }, async () => {
      await openArchives(browser, gateway.url);
      await press(browser, filmRow, "retrieve");
      await browser.click("#retrieval [value=part]");
      await fill(browser, "#retrieval [name=from]", "9");
      await fill(browser, "#retrieval [name=to]", "13.5");
      await browser.waitFor(() => /8\.4 MB, from 8\.389 MB to 16\.777 MB/.test(document.querySelector(".part-words").textContent));
      const job = await ask(browser);
      assert.match(await textOf(browser, job), /8\.4 MB of 21 MB/);
      const got = await download(job, "part");
      assert.equal(got.verified, "whole");
      const name = `film.bin.bytes-${8 * MIB}-${16 * MIB - 1}`;
      if (engine === "chromium") assert.equal(await browser.evaluate(() => window.suggestedName), name);
      const sha256 = createHash("sha256").update(film.bytes.subarray(8 * MIB, 16 * MIB)).digest("hex");
      assert.deepEqual(await downloaded(name, "part"), { size: 8 * MIB, sha256 });
    });

    test("a download that was cut off goes on after a reload", { timeout: 120_000 }, async () => {
      let left = 1; // answers with bytes before the line goes quiet
      let asked = 0;
      const meddle = ({ url }) => {
        if (!url.endsWith("/output")) return undefined;
        asked += 1;
        return { hang: left-- <= 0 };
      };
      const site = await startSite(SITE, { gateway: gateway.url, meddle });
      try {
        await openPage(browser, site.url, "?description=cut%20off");
        await browser.setFiles("#file-input", [film.path]);
        assert.equal((await ended(browser)).state, "done");
        await browser.click("nav a[href='#archives']");
        await press(browser, "[data-archive]", "retrieve");
        const job = await ask(browser);
        await reached(browser, job, ["ready"]);
        if (engine === "chromium") await chooseFile(browser, "cut");
        await press(browser, job, "download");
        await browser.waitFor((job) => document.querySelector(job).dataset.progress > 0.3, [job], { what: "the first range" });
        await press(browser, job, "pause");
        await reached(browser, job, ["paused"]);
        await browser.waitFor(keptRanges, [], { what: "the first range to be remembered" });

        [left, asked] = [Infinity, 0];
        await openArchives(browser, site.url);
        await reached(browser, job, ["interrupted"]);
        await press(browser, job, "continue");
        const got = await reached(browser, job, ["done", "stopped"]);
        assert.equal(got.state, "done", `${got.errorCode}: ${got.text}`);
        assert.equal(got.verified, "whole");
        assert.equal(asked, 2, "of three ranges, the first is there already");
        assert.deepEqual(await downloaded("film.bin", "cut"), { size: film.size, sha256: film.sha256 });
      } finally {
        await site.stop();
      }
    });

    test("a part that is none is refused in words", { timeout: 60_000 }, async () => {
      await openArchives(browser, gateway.url);
      await press(browser, filmRow, "retrieve");
      await browser.click("#retrieval [value=part]");
      await fill(browser, "#retrieval [name=to]", "0");
      await browser.waitFor(() => /inside the archive/.test(document.querySelector(".part-words").textContent));
      await browser.click("#retrieval [type=submit]");
      await browser.waitFor(() => document.querySelector("#retrieval").dataset.errorCode === "INVALID_RANGE");
      assert.equal(await browser.evaluate(() => document.activeElement.name), "from");
    });

    test("an inventory lists what other devices stored, and stays", { timeout: 120_000 }, async () => {
      await storeElsewhere(gateway, VAULT, "from another device");
      await openArchives(browser, gateway.url);
      const texts = async () => (await archives(browser)).map(({ text }) => text).join("\n");
      assert.doesNotMatch(await texts(), /from another device/);
      await browser.click("#take-inventory");
      const row = await reached(browser, INVENTORY, ["done", "stopped", "lost", "failed"]);
      assert.equal(row.state, "done", `${row.errorCode}: ${row.text}`);
      assert.match(await texts(), /from another device/);
      await openArchives(browser, gateway.url);
      assert.match(await texts(), /from another device/);
      assert.match(await textOf(browser, "#known"), /^From the inventory that was ready on /);
    });

    test("the list is filtered, sorted and turned a page at a time", { timeout: 120_000 }, async () => {
      for (let index = 0; index < 30; index++) await storeElsewhere(gateway, BOXES, `box ${index}`, index + 1);
      await openArchives(browser, gateway.url, BOXES);
      await browser.click("#take-inventory");
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "30 archives");
      const texts = async () => (await archives(browser)).map(({ text }) => text.split("\n")[0].trim());
      assert.equal((await texts()).length, 25);
      await browser.click("[data-page=next]");
      assert.equal((await texts()).length, 5);
      await browser.click("[data-sort=size]");
      assert.equal((await texts())[0], "box 29");
      await browser.click("[data-sort=size]");
      assert.equal((await texts())[0], "box 0");
      await fill(browser, "#archive-filter", "BOX 2");
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "11 of 30 archives");
      await browser.click("[data-sort=text]");
      assert.deepEqual((await texts()).slice(0, 3), ["box 2", "box 20", "box 21"]);
      const sorted = await browser.evaluate(() =>
        [...document.querySelectorAll("[aria-sort]")].map((header) => [header.innerText.trim(), header.getAttribute("aria-sort")]));
      assert.deepEqual(sorted, [["Description", "ascending"]]);
    });

    test("of 25,000 archives only a page is in the document", { timeout: 120_000 }, async () => {
      await openArchives(browser, gateway.url, "vast");
      await browser.evaluate(rememberInventory, ["vast", 25_000]);
      await openArchives(browser, gateway.url, "vast");
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "25,000 archives");
      const rows = () => browser.evaluate(() => document.querySelectorAll("[data-archive]").length);
      assert.equal(await rows(), 25);
      await browser.click("[data-page=last]");
      assert.equal(await browser.evaluate(() => document.querySelector("#archive-page").textContent), "24,976 to 25,000 of 25,000");
      await fill(browser, "#archive-filter", "box 2499");
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "11 of 25,000 archives");
      assert.equal(await rows(), 11);
    });

    test("an upload left unfinished elsewhere is removed, after a question", { timeout: 60_000 }, async () => {
      await beginElsewhere(gateway, VAULT, "left behind");
      await openArchives(browser, gateway.url);
      await browser.waitFor(() => /left behind[^]*one piece so far/.test(document.querySelector("[data-incomplete]")?.innerText));
      await press(browser, "[data-incomplete]", "remove");
      assert.ok(await browser.evaluate(() => document.querySelector("#confirmation").open));
      assert.equal(await browser.evaluate(() => document.activeElement.textContent), "Keep it");
      await press(browser, "#confirmation", "close");
      assert.equal((await unfinished(gateway)).length, 1, "nothing happens without a yes");
      await press(browser, "[data-incomplete]", "remove");
      await browser.click("#confirmation [type=submit]");
      await browser.waitFor(() => !document.querySelector("[data-incomplete]"), [], { what: "the upload to be gone" });
      assert.deepEqual(await unfinished(gateway), []);
      assert.equal(await browser.evaluate(() => document.activeElement.id), "incomplete-heading");
    });

    test("a deletion that is not allowed is explained, and nothing is removed", { timeout: 60_000 }, async () => {
      await openArchives(browser, gateway.url);
      await press(browser, filmRow, "delete");
      await browser.click("#confirmation [type=submit]");
      await browser.waitFor(() => document.querySelector("#confirmation").dataset.errorCode === "AUTH_DENIED");
      assert.match(await textOf(browser, "#confirmation .failure"), /You may not delete archives here[^]*Nothing was removed/);
      await press(browser, "#confirmation", "close");
      await browser.waitFor((row) => document.activeElement.closest(row) !== null, [filmRow], { what: "the focus to be back" });
    });

    test("an archive that is gone is said to be, and taken off the list", { timeout: 60_000 }, async () => {
      const row = await store(note.path, "soon gone");
      await openArchives(browser, gateway.url);
      const archiveId = await browser.evaluate((row) => document.querySelector(row).dataset.archiveId, [row]);
      await sign(gateway, { op: "DeleteArchive", vault: VAULT, archiveId });
      await press(browser, row, "retrieve");
      await browser.click("#retrieval [type=submit]");
      await browser.waitFor(() => document.querySelector("#retrieval").dataset.errorCode === "ARCHIVE_NOT_FOUND");
      await press(browser, "#retrieval", "forget");
      await browser.waitFor((row) => !document.querySelector(row), [row]);
    });

    test("everything can be done by keyboard alone", { timeout: 120_000 }, async () => {
      await store(note.path, "for keys");
      const { keyboard } = browser.page;
      // A headless Firefox has no window with the focus, and in such a window no key presses a button.
      const enter = () =>
        engine === "chromium" ? keyboard.press("Enter") : browser.evaluate(() => document.activeElement.click());
      await openPage(browser, gateway.url);
      await tabTo(browser, "nav a[href='#archives']");
      await enter();
      await browser.waitFor(() => document.activeElement.id === "archives-heading");
      await browser.waitFor(() => document.querySelector("[data-archive]") !== null);
      await tabTo(browser, "#archive-filter");
      await keyboard.type("for keys");
      await browser.waitFor(() => document.querySelectorAll("[data-archive]").length === 1);
      await tabTo(browser, "[data-archive] [data-action=retrieve]");
      await enter();
      await tabTo(browser, "#retrieval [name=tier]");
      await keyboard.press("ArrowDown");
      assert.equal(await browser.evaluate(() => document.activeElement.value), "Bulk");
      await tabTo(browser, "#retrieval [type=submit]");
      await enter();
      const job = await newJob(browser);
      await reached(browser, job, ["ready"]);
      if (engine === "chromium") await chooseFile(browser, "keys");
      await tabTo(browser, `${job} [data-action=download]`);
      await enter();
      assert.equal((await reached(browser, job, ["done", "stopped"])).verified, "whole");
      await browser.waitFor(() =>
        /for keys is downloaded\. Verified\./.test(document.querySelector("#archives-announcements").textContent));
    });

    test("axe-core finds nothing, on a desktop and on a phone", { timeout: 120_000 }, async () => {
      for (const width of [1280, 360]) {
        await browser.page.setViewport({ width, height: 800 });
        await openArchives(browser, gateway.url);
        assert.deepEqual(await accessibilityFindings(browser), [], `at ${width}`);
        const overflow = await browser.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(overflow, 0, `nothing stands out at ${width}`);
        await press(browser, filmRow, "retrieve");
        assert.deepEqual(await accessibilityFindings(browser), [], `the form at ${width}`);
        await press(browser, "#retrieval", "close");
        await press(browser, filmRow, "delete");
        assert.deepEqual(await accessibilityFindings(browser), [], `the question at ${width}`);
        await press(browser, "#confirmation", "close");
      }
    });
  });
}

const textOf = (browser, selector) => browser.evaluate((selector) => document.querySelector(selector).innerText, [selector]);

/** In the page: how many ranges of a download it remembers. */
async function keptRanges() {
  const opened = indexedDB.open("glacier-upload");
  await new Promise((resolve) => opened.addEventListener("success", resolve));
  const all = opened.result.transaction("downloads").objectStore("downloads").getAll();
  await new Promise((resolve) => all.addEventListener("success", resolve));
  opened.result.close();
  return all.result[0]?.checkpoint.delivered.length;
}

/** In the page: what an earlier visit that read an inventory of `count` archives has left. */
async function rememberInventory(vault, count) {
  const archives = Array.from({ length: count }, (_, index) => ({
    archiveId: `archive-${index}`, treeHash: "0".repeat(64), size: index + 1, description: `box ${index}`,
    createdAt: new Date(1.7e12 + index * 6e4),
  }));
  const opened = indexedDB.open("glacier-upload");
  await new Promise((resolve) => opened.addEventListener("success", resolve));
  const transaction = opened.result.transaction("inventories", "readwrite");
  transaction.objectStore("inventories").put({ vault, takenAt: new Date(), archives });
  await new Promise((resolve) => transaction.addEventListener("complete", resolve));
  opened.result.close();
}

/** Writes into a field as a person does: the page hears of it. */
function fill(browser, selector, text) {
  return browser.evaluate((selector, text) => {
    const field = document.querySelector(selector);
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }, [selector, text]);
}

/** What another device does with the gateway, with a token that allows it: signs the intent and sends the request. */
async function sign(gateway, intent, body) {
  const headers = {
    authorization: `Bearer ${gateway.token({ ops: [intent.op], vaults: [intent.vault] })}`,
    "content-type": "application/json",
  };
  const signed = await fetch(`${gateway.url}/v1/sign`, { method: "POST", headers, body: JSON.stringify({ intents: [intent] }) });
  assert.ok(signed.ok, `${intent.op}: ${signed.status}`);
  const [{ method, url, ...request }] = (await signed.json()).requests;
  const answer = await fetch(new URL(url, gateway.url), { method, headers: request.headers, body: body ?? request.body });
  assert.ok(answer.ok, `${intent.op}: ${answer.status}`);
  return answer;
}

/** Begins an upload in parts of 1 MiB, and sends the first. */
async function beginElsewhere(gateway, vault, description, bytes = Buffer.alloc(2 * MIB, 7)) {
  const intent = { op: "InitiateMultipartUpload", vault, partSize: MIB, size: bytes.length, description };
  const uploadId = (await sign(gateway, intent)).headers.get("x-amz-multipart-upload-id");
  const part = bytes.subarray(0, MIB);
  const hash = createHash("sha256").update(part).digest("hex"); // of one leaf, so that it is the tree hash, too
  const range = `0-${part.length - 1}`;
  await sign(gateway, { op: "UploadMultipartPart", vault, uploadId, range, payloadHash: hash, treeHash: hash }, part);
  return { uploadId, treeHash: hash };
}

/** Stores an archive of one leaf. */
async function storeElsewhere(gateway, vault, description, size = 100) {
  const { uploadId, treeHash } = await beginElsewhere(gateway, vault, description, Buffer.alloc(size, description));
  await sign(gateway, { op: "CompleteMultipartUpload", vault, uploadId, size, treeHash });
}

async function unfinished(gateway) {
  return (await (await sign(gateway, { op: "ListMultipartUploads", vault: VAULT })).json()).UploadsList;
}
