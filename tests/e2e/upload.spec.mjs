// Files of all sizes through the real page, server and store; what is stored is read back by the Python oracle.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ENGINES, launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage, uploads } from "./page.mjs";

const CASES = [
  { name: "1 byte", size: 1 },
  { name: "1 MiB less 1", size: MIB - 1 },
  { name: "1 MiB", size: MIB },
  { name: "1 MiB and 1", size: MIB + 1 },
  { name: "16.2 MiB in parts of 4 MiB", size: 16_986_931, query: "?partSize=4194304" },
  { name: "100 MiB and 1", size: 100 * MIB + 1, large: true },
  { name: "2 GiB", size: 2048 * MIB, large: true },
];

let files;
const expected = new Map();

before(async () => {
  files = await scratch();
  for (const { name, size } of CASES) {
    const path = await makeFile(files.folder, `${name.replaceAll(" ", "-")}.bin`, size);
    expected.set(name, { path, ...(await fileFacts(path)) });
  }
});

after(() => files.remove());

for (const engine of ENGINES) {
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

    for (const { name, query = "", large } of CASES) {
      if (large && engine === "webkit") continue; // The smaller sizes show the engine; the rest is the same code.
      test(`${engine} stores ${name}`, { timeout: 900_000 }, async () => {
        const { path, size, sha256, treeHash } = expected.get(name);
        await openPage(browser, gateway.url, query);
        await browser.setFiles("#file-input", [path]);
        const row = await ended(browser, 0, 840_000);
        assert.equal(row.state, "done", `${row.errorCode}: ${row.text}\n${gateway.log()}`);
        assert.equal(row.treeHash, treeHash, "the page shows the file's tree hash");
        assert.equal(row.progress, "1");
        const stored = await storedArchive(gateway.data, row.archiveId, VAULT);
        assert.deepEqual({ ...stored }, { size, sha256, tree_hash: treeHash, description: stored.description });
      });
    }

    test(`${engine} stores several files at once, with a description`, { timeout: 300_000 }, async () => {
      const chosen = ["1 byte", "1 MiB and 1", "16.2 MiB in parts of 4 MiB"].map((name) => expected.get(name));
      await openPage(browser, gateway.url, "?description=Iceland%202026");
      await browser.setFiles("#file-input", chosen.map(({ path }) => path));
      for (const index of chosen.keys()) await ended(browser, index);
      for (const [index, row] of (await uploads(browser)).entries()) {
        assert.equal(row.state, "done", `${row.errorCode}: ${row.text}`);
        const { size, sha256, treeHash } = chosen[index];
        const stored = await storedArchive(gateway.data, row.archiveId, VAULT);
        assert.deepEqual(stored, { size, sha256, tree_hash: treeHash, description: "Iceland 2026" });
      }
    });
  });
}
