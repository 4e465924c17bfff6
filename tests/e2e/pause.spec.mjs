// Pause, resume and cancel through the page, in the middle of an upload.

import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage, reached, uploads } from "./page.mjs";
import { librarySite, startSite } from "./site.mjs";

const SIZE = 768 * MIB;

let files;
let path;

before(async () => {
  files = await scratch();
  path = await makeFile(files.folder, "long.bin", SIZE);
});

after(() => files.remove());

for (const engine of ["chromium", "firefox"]) {
  describe(engine, () => {
    let gateway;
    let browser;

    before(async () => {
      gateway = await startGateway();
      browser = await launch(engine);
    });

    after(async () => {
      await browser?.close();
      await gateway?.stop();
    });

    const underWay = () =>
      browser.waitFor(() => Number(document.querySelector("[data-upload]")?.dataset.progress) > 0, [],
        { everyMs: 20, what: "the first part to be confirmed" });

    const press = (action) => browser.click(`[data-upload] [data-action=${action}]`);

    test(`${engine}: a paused upload stands still, then ends as if it had not been paused`, { timeout: 300_000 }, async () => {
      await openPage(browser, gateway.url, "?partSize=8388608");
      await browser.setFiles("#file-input", [path]);
      await underWay();
      await press("pause");
      await reached(browser, ["paused"]);
      // What was in flight may still be acknowledged; then nothing moves.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const [paused] = await uploads(browser);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const [later] = await uploads(browser);
      assert.equal(later.state, "paused");
      assert.equal(later.progress, paused.progress);
      assert.ok(Number(later.progress) < 1, "paused before the end");

      await press("resume");
      const row = await ended(browser, 0, 240_000);
      assert.equal(row.state, "done", `${row.errorCode}: ${row.text}`);
      const { size, sha256, treeHash } = await fileFacts(path);
      const stored = await storedArchive(gateway.data, row.archiveId, VAULT);
      assert.deepEqual([stored.size, stored.sha256, stored.tree_hash], [size, sha256, treeHash]);
    });

    test(`${engine}: a cancelled upload leaves no bytes in the store`, { timeout: 300_000 }, async () => {
      const emptied = await weigh(gateway.data);
      await openPage(browser, gateway.url, "?partSize=8388608");
      await browser.setFiles("#file-input", [path]);
      await underWay();
      await press("cancel");
      const row = await reached(browser, ["aborted"]);
      assert.equal(row.state, "aborted");
      let kept;
      for (let wait = 0; wait < 50; wait++) {
        kept = (await weigh(gateway.data)) - emptied;
        if (kept < 8 * MIB) break;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      assert.ok(kept < 8 * MIB, `${kept} bytes more than before: less than one part, or parts were left`);
    });
  });
}

test("after abort() the store knows the upload no longer", { timeout: 120_000 }, async () => {
  const gateway = await startGateway();
  const packaged = await librarySite();
  const site = await startSite(packaged.folder, { gateway: gateway.url });
  const browser = await launch("chromium");
  try {
    await browser.open(`${site.url}/`);
    await browser.waitFor(() => document.documentElement.dataset.ready);
    await browser.setFiles("#files", [path]);
    const seen = await browser.evaluate(async (vault) => {
      const seen = { doneRejectedWith: null, uploadId: null };
      const headers = { "content-type": "application/json", ...(await bearer()) };
      const signed = async (intents) => {
        const response = await fetch("/v1/sign", { method: "POST", headers, body: JSON.stringify({ intents }) });
        return (await response.json()).requests;
      };
      const sign = (intents) => {
        seen.uploadId ??= intents.find(({ uploadId }) => uploadId)?.uploadId;
        return signed(intents);
      };
      const listParts = async () => {
        const [{ url, ...request }] = await signed([{ op: "ListParts", vault, uploadId: seen.uploadId }]);
        return (await fetch(url, request)).status;
      };
      const uploader = await library.createUploader({ sign, target: { vault } });
      const upload = uploader.add(document.querySelector("#files").files[0]);
      const done = upload.done().catch((error) => (seen.doneRejectedWith = error.name));
      await new Promise((resolve) => upload.on("progress", ({ bytesConfirmed }) => bytesConfirmed > 0 && resolve()));
      seen.before = await listParts();
      await upload.abort();
      await done;
      seen.after = await listParts();
      seen.state = upload.state;
      return seen;
    }, [VAULT]);
    assert.deepEqual(
      [seen.before, seen.after, seen.state, seen.doneRejectedWith], [200, 404, "aborted", "AbortError"],
    );
  } finally {
    await browser.close();
    await site.stop();
    await packaged.remove();
    await gateway.stop();
  }
});

/** Bytes in all files of a folder. */
async function weigh(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 })); // Removed meanwhile.
    bytes += found.size;
  }
  return bytes;
}
