// What the README says to paste into the demo page's console, pasted there.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
import { launch } from "./browsers.mjs";
import { startGateway } from "./gateway.mjs";
import { openPage } from "./page.mjs";

test("the README's snippets upload an archive and get it back", { timeout: 120_000 }, async () => {
  const readme = await readFile(resolve(import.meta.dirname, "../../README.md"), "utf8");
  const snippets = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  assert.ok(snippets.length >= 2, "an upload and a download");
  const gateway = await startGateway();
  const browser = await launch("chromium");
  try {
    await openPage(browser, gateway.url);
    // As an expression and not as a script of the page, whose security policy forbids that.
    await browser.evaluate(`(async () => { ${snippets.slice(0, 2).join("\n")} })()`);
    await browser.waitFor(() => true);
    const said = browser.messages.filter((message) => message.startsWith("log: "));
    assert.match(said.at(-1), /^log: whole hello, ice$/, browser.messages.join("\n"));
  } finally {
    await browser.close();
    await gateway.stop();
  }
});
