// Whatever fails, the page has words for it: a title and an advice of its own for every code that the types name.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";

const ROOT = resolve(import.meta.dirname, "../..");
const { failureInWords } = await import(join(ROOT, "www/words.js"));
const types = await readFile(join(ROOT, "src/js/error.d.ts"), "utf8");
const declared = /export type UploadErrorCode =([^;]*);/.exec(types)[1].match(/[A-Z_]{3,}/g);
const UNKNOWN = failureInWords({ code: "NOT_A_CODE", hint: "A hint." }).title;

test("the types name the error codes", () => {
  assert.ok(declared.length > 30 && declared.includes("JOB_FAILED"), declared.join());
});

for (const code of declared) {
  test(`${code} has words`, () => {
    for (const doing of [undefined, "look", "retrieve", "delete", "remove-upload", "discard", "continue"]) {
      const { title, advice } = failureInWords({ code, message: "a message", hint: "What to do." }, doing);
      assert.notEqual(title, UNKNOWN);
      assert.ok(!title.includes(code) && /^[A-Z][^.]+$/.test(title), title);
      assert.match(advice, /[.!]$/);
    }
  });
}

test("a code that only the page's words know is none", async () => {
  const words = await readFile(join(ROOT, "www/words.js"), "utf8");
  const worded = [...words.matchAll(/^ {2}([A-Z_]{3,}): \[/gm)].map(([, code]) => code);
  assert.deepEqual(worded.filter((code) => !declared.includes(code)), []);
});
