// What the page offers when it is opened again in the middle of an upload: to go on, by hand or by keyboard, or to discard.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { accessibilityFindings } from "./axe.mjs";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { SITE, startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage, uploads } from "./page.mjs";
import { startSite } from "./site.mjs";

const N_PARTS = 16;

let files;
let path;
let other;

before(async () => {
  files = await scratch();
  path = await makeFile(files.folder, "film from Iceland.mov", N_PARTS * MIB);
  other = await makeFile(files.folder, "notes.txt", 2 * MIB);
});

after(() => files.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let gateway;
    let site;
    let browser;
    let sent = 0;
    let most = Infinity;

    before(async () => {
      gateway = await startGateway();
      const meddle = ({ method }) => (method === "PUT" && ++sent > most ? { hang: true } : undefined);
      site = await startSite(SITE, { gateway: gateway.url, meddle });
      browser = await launch(engine);
      browser.page.on("dialog", (dialog) => dialog.accept()); // whether to leave
    });

    after(async () => {
      await browser?.close();
      await site?.stop();
      await gateway?.stop();
    });

    const items = () => browser.evaluate(() =>
      [...document.querySelectorAll("[data-left]")].map((item) => ({ ...item.dataset, text: item.innerText })));

    /** Closes the page when a quarter is stored, and opens it again. */
    async function comeBack() {
      [sent, most] = [0, N_PARTS / 4];
      await openPage(browser, site.url, "?partSize=1048576&description=Iceland%202026");
      await browser.setFiles("#file-input", [path]);
      await browser.waitFor(() => Number(document.querySelector("[data-upload]")?.dataset.progress) >= 0.25);
      await new Promise((resolve) => setTimeout(resolve, 1_000)); // it is recorded by then
      await openPage(browser, site.url);
      [sent, most] = [0, Infinity];
      const free = () => document.querySelector('[data-left][data-in-use="false"]') !== null;
      await browser.waitFor(free, [], { what: "the upload to be offered" });
    }

    async function assertStored(row) {
      assert.equal(row.state, "done", `${row.errorCode}: ${row.text}`);
      const { size, sha256, treeHash } = await fileFacts(path);
      const stored = await storedArchive(gateway.data, row.archiveId, VAULT);
      assert.deepEqual(stored, { size, sha256, tree_hash: treeHash, description: "Iceland 2026" });
      assert.equal(sent, N_PARTS - N_PARTS / 4);
      assert.deepEqual(await items(), []);
    }

    test(`${engine}: what was left says so in plain words, and goes on when its file is chosen again`, { timeout: 120_000 }, async () => {
      await comeBack();
      const [{ text }] = await items();
      assert.match(text, /film from Iceland\.mov/);
      assert.match(text, /25% of 16\.8 MB stored · choose the file again to continue · begun on .* · described as “Iceland 2026”/);
      if (engine === "chromium") assert.deepEqual(await accessibilityFindings(browser), []);
      await browser.waitFor(() => /film from Iceland\.mov was not finished/.test(document.querySelector("#announcements").textContent));
      await browser.click("[data-left] [data-action=continue]");
      await browser.setFiles("#left-input", [path]);
      await assertStored(await ended(browser));
      const focused = await browser.evaluate(() => document.activeElement.closest("[data-upload]") !== null);
      assert.ok(focused, "the keyboard is where the upload is now");
    });

    test(`${engine}: a file that is added as any other goes on where it is the one`, { timeout: 120_000 }, async () => {
      await comeBack();
      await browser.setFiles("#file-input", [other, path]);
      const rows = await browser.waitFor(() => {
        const rows = [...document.querySelectorAll("[data-upload]")];
        return rows.length === 2 && rows.every((row) => row.dataset.state === "done")
          && rows.map((row) => ({ ...row.dataset, text: row.innerText }));
      });
      sent -= 1; // the other file's
      await assertStored(rows.find(({ size }) => Number(size) === N_PARTS * MIB));
    });

    test(`${engine}: a wrong file is refused, what was left stays, and it can be discarded`, { timeout: 120_000 }, async () => {
      await comeBack();
      await browser.click("[data-left] [data-action=continue]");
      await browser.setFiles("#left-input", [other]);
      const alert = await browser.waitFor(() => document.querySelector("[data-left] .failure[role=alert]")?.innerText);
      assert.match(alert, /^This is another file, or it has changed/);
      assert.match(alert, /add it as a new file/);
      assert.deepEqual(await uploads(browser), []);
      if (engine === "chromium") assert.deepEqual(await accessibilityFindings(browser), []);

      await browser.click("[data-left] [data-action=discard]");
      const question = await browser.waitFor(() => document.querySelector("#confirmation[open]")?.innerText);
      assert.match(question, /film from Iceland\.mov, 25% of 16\.8 MB stored/);
      await browser.click("#confirmation [type=submit]");
      await browser.waitFor(() => document.querySelector("#left").hidden);
      await browser.waitFor(() => /is discarded/.test(document.querySelector("#announcements").textContent));
      await openPage(browser, site.url);
      await browser.waitFor(() => document.querySelector("#vault").value !== "");
      assert.deepEqual(await items(), []);
    });
  });
}
