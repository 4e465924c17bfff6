// Which ranges of an archive have a tree hash, and which is the smallest around another: the package's answers in every
// engine against a table that is made here by building each tree level by level.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { MIB } from "./files.mjs";
import { librarySite, startSite } from "./site.mjs";

const MOST_LEAVES = 40;
/** By how many bytes the last leaf is short. */
const SHORT = [0, 1, MIB - 1];

let packaged;
let site;

before(async () => {
  packaged = await librarySite();
  site = await startSite(packaged.folder);
});

after(async () => {
  await site.stop();
  await packaged.remove();
});

/** Every node of the tree over so many leaves, as [first leaf, one past the last]. */
function nodes(leaves) {
  let level = Array.from({ length: leaves }, (_, leaf) => [leaf, leaf + 1]);
  const all = [...level];
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) above.push([level[i][0], (level[i + 1] ?? level[i])[1]]);
    // A node without a neighbour moves up unchanged and is no node of its own there.
    all.push(...above.filter((_, i) => level[2 * i + 1] !== undefined));
    level = above;
  }
  return all;
}

/** What to ask of an archive of so many leaves, and what to be answered: `[size, start, end, aligned, node]`. */
function table(leaves, short) {
  const size = leaves * MIB - short;
  const at = (leaf) => Math.min(leaf * MIB, size);
  const ranges = nodes(leaves).map(([first, end]) => [at(first), at(end)]);
  const smallest = (start, end) =>
    ranges.filter(([a, b]) => a <= start && end <= b).reduce((least, node) => (node[1] - node[0] < least[1] - least[0] ? node : least));
  const isNode = (start, end) => ranges.some(([a, b]) => a === start && b === end);
  const rows = [];
  for (let first = 0; first < leaves; first++) {
    for (let last = first + 1; last <= leaves; last++) {
      // On the borders, a byte inside of them, and a byte over them.
      for (const [start, end] of [[at(first), at(last)], [at(first) + 1, at(last) - 1], [at(first), at(last) + 1]]) {
        if (start < end && end <= size) rows.push([size, start, end, isNode(start, end), smallest(start, end)]);
      }
    }
  }
  return rows;
}

test("the table has the documented ranges of an archive of 6.5 MiB", () => {
  const aligned = table(7, MIB / 2).filter(([, , , aligned]) => aligned).map(([, start, end]) => [start / MIB, Math.ceil(end / MIB)].join());
  const documented = "0,1 1,2 2,3 3,4 4,5 5,6 6,7 0,2 2,4 4,6 0,4 4,7 0,7";
  assert.deepEqual(aligned.toSorted(), documented.split(" ").toSorted());
});

for (const engine of ["chromium", "firefox", "webkit"]) {
  describe(engine, () => {
    let browser;

    before(async () => {
      browser = await launch(engine);
      await browser.open(`${site.url}/`);
      await browser.waitFor(() => document.documentElement.dataset.ready);
    });

    after(() => browser?.close());

    test(`${engine}: all ranges of all trees up to ${MOST_LEAVES} leaves are judged as the table says`, { timeout: 300_000 }, async () => {
      const rows = SHORT.flatMap((short) => Array.from({ length: MOST_LEAVES }, (_, i) => table(i + 1, short)).flat());
      assert.ok(rows.length > 90_000 && rows.some(([, , , aligned]) => aligned) && rows.some(([, , , aligned]) => !aligned));
      const [answered, differing] = await browser.evaluate(async (rows) => {
        const differing = [];
        let answered = 0;
        for (const row of rows) {
          const [size, start, end] = row;
          const aligned = await library.isTreeHashAligned({ start, end }, size);
          const around = await library.alignRange({ start, end }, size);
          const answer = [size, start, end, aligned, [around.start, around.end]];
          if (JSON.stringify(answer) !== JSON.stringify(row) && differing.length < 10) differing.push({ answer, row });
          answered += 1;
        }
        return [answered, differing];
      }, [rows]);
      assert.deepEqual([answered, differing], [rows.length, []]);
    });

    test(`${engine}: what is no range in the archive is INVALID_RANGE`, async () => {
      const failures = await browser.evaluate(async () => {
        const failures = [];
        for (const [range, size] of [
          [{ start: 0, end: 0 }, 5], [{ start: 3, end: 2 }, 5], [{ start: 0, end: 6 }, 5], [{ start: -1, end: 2 }, 5],
          [{ start: 0.5, end: 2 }, 5], [{ start: 0, end: NaN }, 5], [{ start: 0, end: Infinity }, 5], [{ start: "0", end: 2 }, 5],
          [{ start: 0 }, 5], [{}, 5], [undefined, 5], [null, 5], ["0-4", 5], [[0, 4], 5], [() => 0, 5], [{ start: 0, end: 5, step: 1 }, 5],
          [{ start: 0n, end: 2n }, 5], [{ start: 0, end: 2 }, undefined], [{ start: 0, end: 2 }, -5], [{ start: 0, end: 2 }, "5"],
          [{ start: 0, end: 2 }, 5.5], [{ start: 0, end: 1 }, 0],
        ]) {
          failures.push(await failureOf(() => library.isTreeHashAligned(range, size)));
          failures.push(await failureOf(() => library.alignRange(range, size)));
        }
        return failures;
      });
      assert.equal(failures.length, 44);
      for (const { isUploadError, code, message } of failures) assert.deepEqual([isUploadError, code], [true, "INVALID_RANGE"], message);
    });
  });
}
