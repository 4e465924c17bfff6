// Getting things back through the page: the second view, with the real store behind it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { archives, chooseFile, chosenFile, openArchives, press, reached, tabTo } from "./archives.mjs";
import { accessibilityFindings } from "./axe.mjs";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage } from "./page.mjs";

const RETRIEVAL = "[data-job][data-action=ArchiveRetrieval]";
const INVENTORY = "[data-job][data-action=InventoryRetrieval]";

let files;
let film;

before(async () => {
  files = await scratch();
  const path = await makeFile(files.folder, "film.bin", 20 * MIB + 17);
  film = { path, ...(await fileFacts(path)), bytes: await readFile(path) };
});

after(() => files.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let gateway;
    let browser;
    let downloads;

    before(async () => {
      gateway = await startGateway();
      downloads = await scratch();
      browser = await launch(engine, { downloads: downloads.folder });
    });

    after(async () => {
      await browser?.close();
      await gateway?.stop();
      await downloads?.remove();
    });

    /** What the page has downloaded: of the chosen file where a browser asks for one, else of the downloads folder. */
    const downloaded = async (name) => {
      if (engine === "chromium") return chosenFile(browser, name);
      await browser.waitFor(() => true);
      const path = join(downloads.folder, name);
      for (let attempt = 0; attempt < 100; attempt++) {
        const names = await readdir(downloads.folder);
        if (names.includes(name) && !names.some((other) => other.endsWith(".part"))) return fileFacts(path);
        await browser.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100)));
      }
      throw new Error(`${name} is not among ${await readdir(downloads.folder)}; ${browser.messages.join("\n")}`);
    };

    test("a file sent in the first view is got back in the second, verified", { timeout: 120_000 }, async () => {
      await openPage(browser, gateway.url, "?description=Iceland%202026");
      assert.equal(await browser.evaluate(() => document.title), "Glacier Upload");
      await browser.setFiles("#file-input", [film.path]);
      const sent = await ended(browser);
      assert.equal(sent.state, "done", `${sent.errorCode}: ${sent.text}`);

      await browser.click("nav a[href='#archives']");
      await browser.waitFor(() => document.querySelector("[data-archive]"), [], { what: "the upload to be listed" });
      const view = await browser.evaluate(() =>
        ({ title: document.title, focus: document.activeElement.id, uploadsHidden: document.querySelector("#uploads").checkVisibility() }));
      assert.deepEqual(view, { title: "Archives · Glacier Upload", focus: "archives-heading", uploadsHidden: false });
      const [listed] = await archives(browser);
      assert.equal(listed.archiveId, sent.archiveId);
      assert.match(listed.text, /Iceland 2026[^]*film\.bin[^]*21 MB/);

      await browser.click("[data-archive] [data-action=retrieve]");
      await browser.click("#retrieval [value=Expedited]");
      await browser.click("#retrieval [type=submit]");
      const asked = await reached(browser, RETRIEVAL, ["waiting", "ready"]);
      assert.match(asked.text, /Iceland 2026[^]*Expedited/);
      await reached(browser, RETRIEVAL, ["ready"]);
      if (engine === "chromium") await chooseFile(browser, "film.bin");
      await press(browser, RETRIEVAL, "download");
      const got = await reached(browser, RETRIEVAL, ["done", "stopped"]);
      assert.equal(got.state, "done", `${got.errorCode}: ${got.text}\n${gateway.log()}`);
      assert.equal(got.verified, "whole");
      assert.equal(got.treeHash, film.treeHash);
      assert.match(got.text, /Verified[^]*as it was when this browser uploaded it/);
      const { size, sha256 } = await downloaded("film.bin");
      assert.deepEqual({ size, sha256 }, { size: film.size, sha256: film.sha256 });

      await browser.click("nav a[href='#upload']");
      await browser.waitFor(() => document.activeElement.id === "upload-heading");
      assert.equal((await ended(browser)).archiveId, sent.archiveId, "the first view is as it was left");
    });

    test("what this browser uploaded is still listed after a reload", { timeout: 60_000 }, async () => {
      await openArchives(browser, gateway.url);
      const [listed] = await archives(browser);
      assert.match(listed.text, /Iceland 2026/);
      const known = await browser.evaluate(() => document.querySelector("#known").textContent);
      assert.match(known, /only what this browser uploaded/);
    });

    test("a part is widened to what can be verified, and says so", { timeout: 120_000 }, async () => {
      await openArchives(browser, gateway.url);
      await press(browser, "[data-archive]", "retrieve");
      await browser.evaluate(() => {
        document.querySelector("#retrieval [value=part]").click();
        for (const [name, value] of [["from", "9"], ["to", "12.5"]]) {
          const field = document.querySelector(`#retrieval [name=${name}]`);
          field.value = value;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }
      });
      const words = await browser.waitFor(() => document.querySelector(".part-words").textContent.match(/You will get.*/)?.[0]);
      assert.match(words, /8\.4 MB, from 8\.389 MB to 16\.777 MB/);
      await browser.click("#retrieval [type=submit]");
      await browser.waitFor((rows) => document.querySelectorAll(rows).length === 2, [RETRIEVAL]);
      const row = await reached(browser, RETRIEVAL, ["ready"]);
      assert.match(row.text, /8\.4 MB of 21 MB/);
      if (engine === "chromium") await chooseFile(browser, "part");
      await press(browser, RETRIEVAL, "download");
      const got = await reached(browser, RETRIEVAL, ["done", "stopped"]);
      assert.equal(got.state, "done", `${got.errorCode}: ${got.text}`);
      assert.equal(got.verified, "whole");
      const name = `film.bin.bytes-${8 * MIB}-${16 * MIB - 1}`;
      if (engine === "chromium") assert.equal(await browser.evaluate(() => window.suggestedName), name);
      const { size, sha256 } = await downloaded(engine === "chromium" ? "part" : name);
      const expected = createHash("sha256").update(film.bytes.subarray(8 * MIB, 16 * MIB)).digest("hex");
      assert.deepEqual({ size, sha256 }, { size: 8 * MIB, sha256: expected });
    });

    test("a part that is none is refused in words", { timeout: 60_000 }, async () => {
      await openArchives(browser, gateway.url);
      await press(browser, "[data-archive]", "retrieve");
      await browser.evaluate(() => {
        document.querySelector("#retrieval [value=part]").click();
        document.querySelector("#retrieval [name=to]").value = "0";
      });
      await browser.click("#retrieval [type=submit]");
      await browser.waitFor(() => document.querySelector("#retrieval").dataset.errorCode === "INVALID_RANGE");
      assert.equal(await browser.evaluate(() => document.activeElement.name), "from");
      await press(browser, "#retrieval", "close");
    });

    test("an inventory lists what other devices stored, and stays", { timeout: 120_000 }, async () => {
      await storeElsewhere(gateway, "from another device");
      await openArchives(browser, gateway.url);
      await browser.click("#take-inventory");
      const row = await reached(browser, INVENTORY, ["done", "stopped", "lost", "failed"]);
      assert.equal(row.state, "done", `${row.errorCode}: ${row.text}`);
      assert.match((await archives(browser)).map(({ text }) => text).join("\n"), /from another device/);
      await openArchives(browser, gateway.url);
      const texts = (await archives(browser)).map(({ text }) => text);
      assert.equal(texts.length, 2);
      assert.match(await browser.evaluate(() => document.querySelector("#known").textContent), /^From the inventory that was ready on /);
    });

    test("the list is filtered, sorted and turned a page at a time", { timeout: 120_000 }, async () => {
      for (let index = 0; index < 30; index++) await storeElsewhere(gateway, `box ${index}`, index + 1);
      await openArchives(browser, gateway.url);
      await browser.click("#take-inventory");
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "32 archives");
      const texts = async () => (await archives(browser)).map(({ text }) => text.split("\n")[0]);
      assert.equal((await texts()).length, 25);
      await browser.click("[data-page=next]");
      assert.equal((await texts()).length, 7);
      await browser.click("[data-sort=size]");
      assert.deepEqual((await texts()).slice(0, 2), ["Iceland 2026", "box 29"]);
      await browser.click("[data-sort=size]");
      assert.equal((await archives(browser))[0].size, "1");
      await browser.evaluate(() => {
        const filter = document.querySelector("#archive-filter");
        filter.value = "BOX 2";
        filter.dispatchEvent(new Event("input", { bubbles: true }));
      });
      await browser.waitFor(() => document.querySelector("#archive-count").textContent === "11 of 32 archives");
      await browser.click("[data-sort=text]");
      assert.deepEqual((await texts()).slice(0, 3), ["box 2", "box 20", "box 21"]);
      const sorted = await browser.evaluate(() =>
        [...document.querySelectorAll("[aria-sort]")].map((header) => [header.innerText.trim(), header.ariaSort]));
      assert.deepEqual(sorted, [["Description", "ascending"]]);
    });

    test("an upload left unfinished elsewhere is removed, after a question", { timeout: 60_000 }, async () => {
      await beginElsewhere(gateway, "left behind");
      await openArchives(browser, gateway.url);
      await browser.waitFor(() => /one piece so far/.test(document.querySelector("[data-incomplete]")?.innerText));
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
      const before = await archives(browser);
      await press(browser, "[data-archive]", "delete");
      await browser.click("#confirmation [type=submit]");
      await browser.waitFor(() => document.querySelector("#confirmation").dataset.errorCode === "AUTH_DENIED");
      const text = await browser.evaluate(() => document.querySelector("#confirmation .failure").innerText);
      assert.match(text, /You may not delete archives here[^]*Nothing was removed/);
      await press(browser, "#confirmation", "close");
      assert.equal(await browser.evaluate(() => document.activeElement.dataset.action), "delete");
      assert.deepEqual((await archives(browser)).length, before.length);
    });

    test("an archive that is gone is said to be, and taken off the list", { timeout: 60_000 }, async () => {
      await openArchives(browser, gateway.url);
      const [first] = await archives(browser);
      await sign(gateway, [{ op: "DeleteArchive", vault: VAULT, archiveId: first.archiveId }]);
      await press(browser, "[data-archive]", "retrieve");
      await browser.click("#retrieval [type=submit]");
      await browser.waitFor(() => document.querySelector("#retrieval").dataset.errorCode === "ARCHIVE_NOT_FOUND");
      await press(browser, "#retrieval", "forget");
      await browser.waitFor((id) => !document.querySelector(`[data-archive-id="${id}"]`), [first.archiveId]);
    });

    test("everything can be done by keyboard alone", { timeout: 120_000 }, async () => {
      const key = (name) => browser.page.keyboard.press(name);
      await openPage(browser, gateway.url);
      await tabTo(browser, "nav a[href='#archives']");
      await key("Enter");
      await browser.waitFor(() => document.activeElement.id === "archives-heading");
      await browser.waitFor(() => document.querySelector("[data-archive]"));
      await tabTo(browser, "#archive-filter");
      await browser.page.keyboard.type("box 7");
      await browser.waitFor(() => document.querySelectorAll("[data-archive]").length === 1);
      await tabTo(browser, "[data-archive] [data-action=retrieve]");
      const before = await browser.evaluate((rows) => document.querySelectorAll(rows).length, [RETRIEVAL]);
      await key("Enter");
      await tabTo(browser, "#retrieval [name=tier]");
      await key("ArrowDown");
      assert.equal(await browser.evaluate(() => document.activeElement.value), "Bulk");
      await key("Enter");
      await browser.waitFor((rows, before) => document.querySelectorAll(rows).length > before, [RETRIEVAL, before]);
      assert.ok(await browser.evaluate((rows) => document.activeElement.matches(rows), [RETRIEVAL]), "the new row has the focus");
      await reached(browser, RETRIEVAL, ["ready"]);
      if (engine === "chromium") await chooseFile(browser, "box-7");
      await tabTo(browser, `${RETRIEVAL} [data-action=download]`);
      await key("Enter");
      assert.equal((await reached(browser, RETRIEVAL, ["done", "stopped"])).verified, "whole");
      const heard = await browser.waitFor(() =>
        document.querySelector("#archives-announcements").textContent.match(/box 7 is downloaded\. Verified\./)?.[0]);
      assert.ok(heard);
    });

    test("axe-core finds nothing, on a desktop and on a phone", { timeout: 120_000 }, async () => {
      for (const width of [1280, 360]) {
        await browser.page.setViewport({ width, height: 800 });
        await openArchives(browser, gateway.url);
        assert.deepEqual(await accessibilityFindings(browser), [], `at ${width}`);
        const overflow = await browser.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.equal(overflow, 0, `nothing stands out at ${width}`);
        await press(browser, "[data-archive]", "retrieve");
        assert.deepEqual(await accessibilityFindings(browser), [], `the form at ${width}`);
        await press(browser, "#retrieval", "close");
        await press(browser, "[data-archive]", "delete");
        assert.deepEqual(await accessibilityFindings(browser), [], `the question at ${width}`);
        await press(browser, "#confirmation", "close");
      }
    });
  });
}

/** What another device asks of the gateway, with a token that allows everything. */
async function sign(gateway, intents, body) {
  const ops = [...new Set(intents.map(({ op }) => op))];
  const response = await fetch(`${gateway.url}/v1/sign`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token({ ops })}`, "content-type": "application/json" },
    body: JSON.stringify({ intents }),
  });
  const { requests } = await response.json();
  assert.equal(response.status, 200);
  const [request] = requests;
  const answer = await fetch(new URL(request.url, gateway.url), { method: request.method, headers: request.headers, body: body ?? request.body });
  assert.ok(answer.ok, `${intents[0].op}: ${answer.status} ${await answer.clone().text()}`);
  return answer;
}

/** Begins an upload of 2 MiB as another device does, and sends the first of them. */
async function beginElsewhere(gateway, description, bytes = Buffer.alloc(2 * MIB, 7)) {
  const begun = await sign(gateway, [
    { op: "InitiateMultipartUpload", vault: VAULT, partSize: MIB, size: bytes.length, description },
  ]);
  const uploadId = begun.headers.get("x-amz-multipart-upload-id");
  const part = bytes.subarray(0, MIB);
  const hash = createHash("sha256").update(part).digest("hex");
  const range = `0-${part.length - 1}`;
  await sign(gateway, [
    { op: "UploadMultipartPart", vault: VAULT, uploadId, range, payloadHash: hash, treeHash: hash },
  ], part);
  return { uploadId, treeHash: hash };
}

/** Stores an archive of one leaf as another device does. */
async function storeElsewhere(gateway, description, size = 100) {
  const bytes = Buffer.alloc(size, description);
  const { uploadId, treeHash } = await beginElsewhere(gateway, description, bytes);
  await sign(gateway, [{ op: "CompleteMultipartUpload", vault: VAULT, uploadId, size, treeHash }]);
}

async function unfinished(gateway) {
  const answer = await sign(gateway, [{ op: "ListMultipartUploads", vault: VAULT }]);
  return (await answer.json()).UploadsList;
}
